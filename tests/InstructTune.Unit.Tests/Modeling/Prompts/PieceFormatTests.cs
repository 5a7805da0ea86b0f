using System.Security.Cryptography;
using System.Text;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Unit.Tests.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Prompts;

public sealed class PieceFormatTests : IDisposable
{
    private readonly SmallTokenizer _files = SmallTokenizer.ByteLevel();
    private readonly Tokenizer _tokenizer;
    private readonly PromptEncoder _encoder;

    public PieceFormatTests()
    {
        _tokenizer = _files.Load();
        _encoder = new PromptEncoder(PromptFormat.Get("alpaca_lf"), _tokenizer);
    }

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_rendering_has_its_golden_digest()
    {
        var text = Encoding.UTF8.GetBytes(_encoder.Render("Translate to French.", "cat").Text);
        Assert.Equal(164, text.Length);
        Assert.Equal("7a62a54e46463e94ae39e3d7112e3b6b97a1885416b5f73653b58784138cb88b", Convert.ToHexStringLower(SHA256.HashData(text)));
    }

    [Fact]
    public void An_answer_is_trained_up_to_the_line_feeds_after_its_end()
    {
        var example = _encoder.EncodeExample("a", "", "cat");
        var prompt = _encoder.EncodePrompt("a", "");
        Assert.Equal([.. prompt, .. _encoder.EncodeResponse("cat"), 1, .. _tokenizer.Encode("\n\n")], example.Ids);
        Assert.Equal(example.Ids.Select((_, i) => i >= prompt.Length), example.Trained);
    }

    [Fact]
    public void The_prompt_of_a_conversation_is_how_its_training_example_begins()
    {
        ChatTurn[] turns = [new(ChatTurn.System, "Be brief."), new(ChatTurn.User, "a"), new(ChatTurn.Assistant, "cat", Trained: false), new(ChatTurn.User, "b")];
        var example = _encoder.EncodeExample([.. turns, new(ChatTurn.Assistant, "hat")]);
        var prompt = _encoder.EncodePrompt(turns);
        Assert.Equal(prompt, example.Ids[..prompt.Length]);
        Assert.Equal(example.Ids.Select((_, i) => i >= prompt.Length), example.Trained);
    }

    [Fact]
    public void Special_tokens_in_texts_stay_text() =>
        Assert.Equal([1], _encoder.EncodeExample("<|end_of_text|>", "<|begin_of_text|>", "<|pad|>").Ids.Where(_tokenizer.IsSpecial));

    [Fact]
    public void A_joint_boundary_is_refused() => Assert.Contains(
        "`split`", Assert.Throws<PromptFormatException>(() => PromptFormat.For("alpaca_lf", _tokenizer, PromptBoundary.Joint)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_prompt_cannot_end_with_an_answer() =>
        Assert.Equal(1, Assert.Throws<ConversationException>(
            () => _encoder.EncodePrompt([new ChatTurn(ChatTurn.User, "a"), new ChatTurn(ChatTurn.Assistant, "b")])).Turn);
}
