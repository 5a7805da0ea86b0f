using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Import;

public sealed class AlpacaReaderTests : IDisposable
{
    private static readonly SourceOptions Options = new() { Format = SourceFormat.AlpacaJson };
    private readonly SourceFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("[{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\"}]")]
    [InlineData("{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\"}\n")]
    [InlineData("\uFEFF{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\"}\r\n\r\n")]
    [InlineData("{\n  \"instruction\": \"a\",\n  \"input\": \"b\",\n  \"output\": \"c\"\n}\n")]
    public void An_array_lines_and_one_object_over_lines_are_read_alike(string text)
    {
        var (examples, report) = SourceFolder.Import(Options, _folder.Write("a.json", text));

        Assert.Equal(new InstructionPrompt("a", "b"), Assert.Single(examples).Prompt);
        Assert.Equal("c", examples[0].Output);
        Assert.Equal((1, 0), (report.AcceptedCount, report.RejectedCount));
    }

    [Fact]
    public void A_row_with_a_history_becomes_a_conversation_whose_last_answer_is_the_output()
    {
        var file = _folder.Write("lima.json", """
            [{"instruction":"third","input":"more","output":"done","history":[["first","one"],["second","two"]]}]
            """);

        var prompt = Assert.IsType<ConversationPrompt>(Assert.Single(SourceFolder.Import(Options, file).Examples).Prompt);

        Assert.Equal(
            [
                new Turn("user", "first"), new Turn("assistant", "one"), new Turn("user", "second"), new Turn("assistant", "two"),
                new Turn("user", "third\nmore"), new Turn("assistant", "done"),
            ],
            prompt.Turns);
    }

    [Fact]
    public void An_empty_history_and_a_null_input_count_as_absent()
    {
        var file = _folder.Write("a.jsonl", """{"instruction":"a","input":null,"output":"c","history":[]}""");

        Assert.Equal(new InstructionPrompt("a", ""), Assert.Single(SourceFolder.Import(Options, file).Examples).Prompt);
    }

    [Fact]
    public void A_system_text_is_the_first_turn()
    {
        var file = _folder.Write("a.jsonl", """{"instruction":"a","output":"c","system":"Be exact."}""");

        var prompt = Assert.IsType<ConversationPrompt>(Assert.Single(SourceFolder.Import(Options, file).Examples).Prompt);

        Assert.Equal([new Turn("system", "Be exact."), new Turn("user", "a"), new Turn("assistant", "c")], prompt.Turns);
    }

    [Theory]
    [InlineData("""{"instruction":"a"}""", "INVALID_RECORD", "output is missing")]
    [InlineData("""{"instruction":"a","output":""}""", "EMPTY_OUTPUT", "output is empty")]
    [InlineData("""{"instruction":7,"output":"b"}""", "INVALID_RECORD", "instruction is not a string but a number")]
    [InlineData("""{"instruction":"a","output":null}""", "INVALID_RECORD", "output is not a string but null")]
    [InlineData("""{"instruction":"a","output":"b","history":[["x"]]}""", "INVALID_RECORD", "history[0] is not a pair of strings")]
    [InlineData("""["a","b"]""", "INVALID_RECORD", "not an object but an array")]
    [InlineData("""{"instruction":"a","output":"\ud800"}""", "INVALID_RECORD", "output holds half of a surrogate pair")]
    public void A_bad_row_is_rejected_with_its_line_and_what_is_wrong(string row, string reason, string description)
    {
        var file = _folder.Write("a.jsonl", "{\"instruction\":\"x\",\"output\":\"y\"}\n\n" + row + "\n");

        var (examples, report) = SourceFolder.Import(Options with { MaxRejected = 1 }, file);

        Assert.Single(examples);
        Assert.Equal(new Rejection("a.jsonl", 3, reason, description), Assert.Single(report.Rejections));
    }

    [Fact]
    public void A_repeated_key_is_rejected_rather_than_one_of_its_values_taken()
    {
        var file = _folder.Write("a.jsonl", """{"instruction":"a","output":"first","output":"second"}""");

        Assert.StartsWith("INVALID_RECORD: not JSON", SourceFolder.Refused(Options, file).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_json_inside_an_array_names_the_element_and_the_line()
    {
        var refused = SourceFolder.Refused(Options, _folder.Write("a.json", "[\n{\"instruction\":\"a\",\"output\":\"b\"},\n{\"instruction\" \"c\"}\n]"));

        Assert.Equal(("a.json", 2), (refused.FileName, refused.Position));
        Assert.Contains("line 3", refused.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[{\"instruction\":\"a\",\"output\":\"b\"},\n]", "a comma without a value")]
    [InlineData("[{\"instruction\":\"a\",\"output\":\"b\"}", "ends inside the array")]
    [InlineData("[{\"instruction\":\"a\",\"output\":\"b\"}] x", "text after the end")]
    public void A_broken_array_is_refused_whole(string text, string problem) =>
        Assert.Contains(problem, SourceFolder.Refused(Options with { MaxRejected = 9 }, _folder.Write("a.json", text)).Problem, StringComparison.Ordinal);
}
