using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Inference;

public sealed class ScoreSequenceTests
{
    private static readonly RequestLife _life = new(0, 1, () => { }, () => { }, CancellationToken.None);

    /// <summary>The score of a token here is its position in the text and its id, so that a mix-up shows.</summary>
    [Fact]
    public async Task Every_token_of_every_continuation_gets_its_own_score()
    {
        int[] context = [1, 2, 3];
        int[][] continuations = [[10, 11, 12], [], [20], [30, 31]];
        var sequence = new ScoreSequence(new ModelKey("a", null), _life, context, [.. continuations.Select(ids => new Continuation(ids, []))]);
        List<(int From, int To)> chunks = [];

        while (!sequence.Ended)
        {
            // Two rows at a time, to cross borders inside a continuation.
            var to = Math.Min(sequence.Known, sequence.Computed + 2);
            chunks.Add((sequence.Computed, to));
            var wants = sequence.WantsOf(sequence.Computed, to);
            Assert.False(wants.LastLogits);
            sequence.Accept(to, new ChunkOutput(default, [.. wants.Targets.Select(t => new TokenScore(t.Position * 100 + t.TokenId, IsBest: true))]), 0);
        }

        var scores = await sequence.Result;
        Assert.Equal([210, 311, 412], scores[0].Tokens.Select(score => score.Logprob));
        Assert.Empty(scores[1].Tokens);
        Assert.Equal([220], scores[2].Tokens.Select(score => score.Logprob));
        Assert.Equal([230, 331], scores[3].Tokens.Select(score => score.Logprob));
        // The context once, then what follows it, each time from its end.
        Assert.Equal([(0, 2), (2, 3), (3, 5), (3, 4)], chunks);
        Assert.Equal(5, sequence.CapacityTokens);
    }

    [Fact]
    public void Tokens_come_from_the_context_and_the_current_continuation()
    {
        var sequence = new ScoreSequence(new ModelKey("a", null), _life, [1, 2], [new Continuation([10, 11, 12], [])]);
        sequence.Accept(2, new ChunkOutput(default, [new TokenScore(-1, IsBest: true)]), 0);

        Assert.Equal([1, 2, 10, 11], Enumerable.Range(0, 4).Select(sequence.TokenAt));
        Assert.Equal([new ScoreTarget(2, 11), new ScoreTarget(3, 12)], sequence.WantsOf(2, 4).Targets);
    }

    /// <summary>As above, with rivals and labels, and thrown out in the middle of a continuation.</summary>
    [Fact]
    public async Task Rivals_and_labels_are_those_of_their_own_token_also_after_a_preemption()
    {
        Continuation[] continuations = [new([10, 11, 12, 13], [7, 8]), new([], [9]), new([20], [])];
        var sequence = new ScoreSequence(new ModelKey("a", null), _life, [1, 2, 3], continuations, alternatives: 2);
        var restarted = false;

        while (!sequence.Ended)
        {
            if (sequence.Computed == 5 && !restarted)
            {
                restarted = true;
                sequence.Restart();
            }
            // A chunk ends where the prompt does.
            var to = Math.Min(sequence.Computed < 3 ? 3 : sequence.Known, sequence.Computed + 2);
            var wants = sequence.WantsOf(sequence.Computed, to);
            Assert.Empty(wants.Targets);
            sequence.Accept(to, new ChunkOutput(default, []) { Reports = [.. wants.Reports.Select(target => Report(target, wants.Wish))] }, 0);
        }

        var scores = await sequence.Result;
        Assert.True(restarted);
        Assert.Equal([210, 311, 412, 513], scores[0].Tokens.Select(token => token.Logprob));
        Assert.Equal([2, 3, 4, 5], scores[0].Tokens.Select(token => token.Report!.Alternatives[0].TokenId - 1000));
        Assert.All(scores[0].Tokens, token => Assert.Equal(2, token.Report!.Alternatives.Count));
        Assert.Equal([207, 208], scores[0].Labels);
        Assert.Equal([209], scores[1].Labels);
        Assert.Equal([220], scores[2].Tokens.Select(token => token.Logprob));

        static TokenReport Report(ScoreTarget target, ReportWish wish) => new(
            new(target.TokenId, (target.Position * 100) + target.TokenId),
            [
                .. Enumerable.Range(0, wish.Alternatives).Select(i => new TokenLogprob(1000 + target.Position + i, 0)),
                .. wish.TokenIds.Select(id => new TokenLogprob(id, (target.Position * 100) + id)),
            ]);
    }

    [Fact]
    public void Neighbours_with_an_equal_context_are_one_group()
    {
        EncodedScore[] items = [Item([1, 2], 5), Item([1, 2], 6), Item([1], 7), Item([1, 2], 8)];

        var groups = ScoreGroup.Of(items);

        Assert.Equal([2, 1, 1], groups.Select(group => group.Continuations.Count));
        Assert.Equal([5, 6, 7, 8], groups.SelectMany(group => group.Continuations).Select(continuation => continuation.TokenIds[0]));
    }

    [Theory]
    [InlineData(8, 0)]
    [InlineData(7, 1)]
    [InlineData(4, 4)]
    public void A_context_is_cut_by_exactly_what_is_too_much(int contextTokens, int truncated)
    {
        var item = new EncodedScore([1, 2, 3, 4, 5, 6], [7, 8, 9]);

        var cut = item.TruncateTo(contextTokens)!;

        Assert.Equal(truncated, cut.TruncatedCount);
        Assert.Equal(Enumerable.Range(1 + truncated, 6 - truncated), cut.Context);
        Assert.True(cut.ComputedTokens <= contextTokens);
    }

    [Fact]
    public void A_context_is_never_cut_to_nothing() =>
        Assert.Null(new EncodedScore([1, 2], [7, 8, 9]).TruncateTo(2));

    [Theory]
    [InlineData(500, 0, 12)]
    [InlineData(500, 12, 12)]
    [InlineData(511, 0, 1)]
    public void The_room_for_output_is_what_the_context_leaves(int prompt, int requested, int expected) =>
        Assert.Equal(expected, ContextLimit.OutputTokens(prompt, requested, 512));

    [Theory]
    [InlineData(512, 0)]
    [InlineData(500, 13)]
    [InlineData(600, 1)]
    public void More_than_the_context_is_too_long(int prompt, int requested) => Assert.Equal(
        FaultKind.PromptTooLong, Assert.Throws<InferenceFault>(() => ContextLimit.OutputTokens(prompt, requested, 512)).Kind);

    private static EncodedScore Item(int[] context, int token) => new(context, [token]);
}
