using CsCheck;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Tokenization;
using InstructTune.Unit.Tests.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Generation;

public sealed class OutputTextTests : IDisposable
{
    private const int EndOfText = 1;

    private readonly SmallTokenizer _files = SmallTokenizer.ByteLevel();
    private readonly Tokenizer _tokenizer;

    public OutputTextTests() => _tokenizer = _files.Load();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void The_end_of_text_ends_it_and_releases_what_was_held()
    {
        var output = Text(stops: ["the hat"]);
        Assert.Equal("a the", Feed(output, [.. _tokenizer.Encode("a the"), EndOfText]));
        Assert.Equal(StopReason.EndOfText, output.Reason);
    }

    [Fact]
    public void A_stop_token_is_not_part_of_the_text()
    {
        var stop = _tokenizer.Encode("!")[0];
        var output = Text(stopTokens: [stop]);
        Assert.Equal("cat", Feed(output, [.. _tokenizer.Encode("cat"), stop]));
        Assert.Equal(StopReason.StopToken, output.Reason);
    }

    [Fact]
    public void A_stop_sequence_ends_the_text_before_itself()
    {
        var output = Text(stops: ["sat"]);
        Assert.Equal("the cat ", Feed(output, _tokenizer.Encode("the cat sat on")));
        Assert.Equal((StopReason.StopSequence, "sat"), (output.Reason, output.StopSequence));
    }

    [Fact]
    public void The_limit_ends_the_text_and_releases_what_was_held()
    {
        var ids = _tokenizer.Encode("cat");
        var output = Text(stops: ["cats"], maxTokens: ids.Length);
        Assert.Equal("cat", Feed(output, ids));
        Assert.Equal(StopReason.Length, output.Reason);
    }

    [Fact]
    public void Where_a_stop_and_the_limit_coincide_the_stop_is_the_reason()
    {
        var ids = _tokenizer.Encode("cat");
        var output = Text(stops: ["cat"], maxTokens: ids.Length);
        Assert.Equal("", Feed(output, ids));
        Assert.Equal(StopReason.StopSequence, output.Reason);

        var ended = Text(maxTokens: 1);
        Feed(ended, [EndOfText]);
        Assert.Equal(StopReason.EndOfText, ended.Reason);
    }

    [Fact]
    public void Below_the_minimum_only_the_limit_ends_a_text()
    {
        var ids = _tokenizer.Encode("cat");
        var output = Text(stops: ["c"], minTokens: ids.Length + 1, maxTokens: ids.Length);
        Assert.Equal("cat", Feed(output, ids));
        Assert.Equal(StopReason.Length, output.Reason);
    }

    [Fact]
    public void Joined_deltas_are_the_text_of_all_tokens()
    {
        Gen.Int[3, 258].List[1, 40].Sample(ids =>
        {
            var output = Text(maxTokens: ids.Count);
            Assert.Equal(_tokenizer.Decode([.. ids]), Feed(output, ids));
        });
    }

    [Fact]
    public void A_text_that_has_ended_takes_no_token()
    {
        var output = Text(maxTokens: 1);
        Feed(output, [5]);
        Assert.Throws<InvalidOperationException>(() => output.Append(5));
    }

    private static string Feed(OutputText output, IEnumerable<int> ids)
    {
        var text = "";
        foreach (var id in ids)
        {
            text += output.Append(id);
            if (output.Reason != StopReason.None)
            {
                break;
            }
        }

        return text;
    }

    private OutputText Text(IReadOnlyList<string>? stops = null, int[]? stopTokens = null, int minTokens = 0, int maxTokens = 1000) =>
        new(_tokenizer, new StopConditions([EndOfText], stopTokens ?? [], stops ?? [], minTokens, maxTokens));
}
