using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Import;

public sealed class ConversationReaderTests : IDisposable
{
    private readonly SourceFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Messages_keep_their_roles_and_the_weights_of_answers()
    {
        var file = _folder.Write("chat.jsonl", """
            {"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":"c","weight":0},{"role":"user","content":"d"},{"role":"assistant","content":"e","weight":1}]}
            """);

        var prompt = Assert.IsType<ConversationPrompt>(Assert.Single(SourceFolder.Import(new SourceOptions(), file).Examples).Prompt);

        Assert.Equal(
            [new Turn("system", "s"), new Turn("user", "ab"), new Turn("assistant", "c", Trained: false), new Turn("user", "d"), new Turn("assistant", "e", Trained: true)],
            prompt.Turns);
    }

    [Fact]
    public void ShareGpt_names_of_speakers_become_roles()
    {
        var file = _folder.Write("chat.json", """[{"system":"s","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}]""");

        var prompt = Assert.IsType<ConversationPrompt>(Assert.Single(SourceFolder.Import(new SourceOptions(), file).Examples).Prompt);

        Assert.Equal([new Turn("system", "s"), new Turn("user", "a"), new Turn("assistant", "b")], prompt.Turns);
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"narrator","content":"a"}]}""", "UNKNOWN_ROLE")]
    [InlineData("""{"messages":[{"role":"user","content":"a"}]}""", "EMPTY_OUTPUT")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"},{"role":"assistant","content":"c"}]}""", "ROLE_ORDER")]
    [InlineData("""{"messages":[{"role":"user","content":"a","weight":1},{"role":"assistant","content":"c"}]}""", "INVALID_RECORD")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"c","weight":2}]}""", "INVALID_RECORD")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"c"}],"tools":[]}""", "INVALID_RECORD")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image"}]},{"role":"assistant","content":"c"}]}""", "INVALID_RECORD")]
    [InlineData("""{"messages":[]}""", "INVALID_RECORD")]
    [InlineData("""{"conversations":[{"from":"tool","value":"a"}]}""", "UNKNOWN_ROLE")]
    public void A_row_that_cannot_be_trained_on_is_rejected_with_its_reason(string row, string reason)
    {
        var (examples, report) = SourceFolder.Import(new SourceOptions { MaxRejected = 9 }, _folder.Write("chat.jsonl", row + "\n" + Sound(row)));

        Assert.Single(examples);
        Assert.Equal(reason, Assert.Single(report.Rejections).Reason);
    }

    [Fact]
    public void The_stored_form_says_only_what_the_source_said_of_loss()
    {
        var with = new Example(new ConversationPrompt([new Turn("user", "a"), new Turn("assistant", "b", Trained: false)]), "");
        var without = new Example(new ConversationPrompt([new Turn("user", "a"), new Turn("assistant", "b")]), "");

        Assert.Equal("""{"turns":[{"role":"user","text":"a"},{"role":"assistant","text":"b"}]}""", Stored(without));
        Assert.Equal("""{"turns":[{"role":"user","text":"a"},{"role":"assistant","text":"b","trained":"no"}]}""", Stored(with));
        Assert.Equal(((ConversationPrompt)with.Prompt).Turns, ((ConversationPrompt)CanonicalForm.Read(System.Text.Encoding.UTF8.GetBytes(Stored(with))).Prompt).Turns);
    }

    private static string Sound(string row) => row.Contains("messages", StringComparison.Ordinal)
        ? """{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"""
        : """{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}""";

    private static string Stored(Example example)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        CanonicalForm.Write(example, buffer);
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan).TrimEnd();
    }
}
