using InstructTune.Inference.Requests;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Unit.Tests.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>Where a text ends and its continuation begins, with a tokenizer that has a beginning-of-text token, 0.</summary>
public sealed class ScoreEncoderTests : IDisposable
{
    private readonly SmallTokenizer _files = SmallTokenizer.ByteLevel();
    private readonly Tokenizer _tokenizer;
    private readonly PromptEncoder _encoder;

    public ScoreEncoderTests()
    {
        _tokenizer = _files.Load();
        _encoder = new PromptEncoder(PromptFormat.Get("alpaca"), _tokenizer);
    }

    [Fact]
    public void The_token_that_begins_a_text_is_left_out_on_request()
    {
        var (with, without) = (Encode("the cat", "sat", beginsText: true), Encode("the cat", "sat", beginsText: false));

        Assert.Equal([0, .. without.Context], with.Context);
        Assert.Equal(with.Continuation, without.Continuation);
        Assert.Equal(_tokenizer.Encode("the cat"), without.Context);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void After_nothing_the_first_token_is_the_context_or_follows_the_one_that_begins_a_text(string context)
    {
        var ids = _tokenizer.Encode(context + "xyz");

        var (with, without) = (Encode(context, "xyz", beginsText: true), Encode(context, "xyz", beginsText: false));

        Assert.Equal([0], with.Context);
        Assert.Equal(ids, with.Continuation);
        Assert.Equal(ids[..1], without.Context);
        Assert.Equal(ids[1..], without.Continuation);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("", "x")]
    public void Nothing_to_score_after_is_refused_by_item(string context, string continuation)
    {
        var refusal = Assert.Throws<InvalidFieldsException>(() => Encode(context, continuation, beginsText: false));

        Assert.Equal("items[3].continuation", Assert.Single(refusal.Problems).Field);
    }

    [Fact]
    public void Ids_after_an_empty_text_are_divided_alike()
    {
        var item = new ScoreItem(new PromptInput.RawText(""), new ScoreTargetText.Ids([5, 6]), []);

        Assert.Equal<int[]>([[0], [5, 6]], Parts(ScoreEncoder.Encode(item, 0, beginsText: true, _encoder)));
        Assert.Equal<int[]>([[5], [6]], Parts(ScoreEncoder.Encode(item, 0, beginsText: false, _encoder)));
    }

    public void Dispose() => _files.Dispose();

    private static int[][] Parts(EncodedScore score) => [score.Context, score.Continuation];

    private EncodedScore Encode(string context, string continuation, bool beginsText) =>
        ScoreEncoder.Encode(new ScoreItem(new PromptInput.RawText(context), new ScoreTargetText.Text(continuation), []), 3, beginsText, _encoder);
}
