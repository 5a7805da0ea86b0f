using CsCheck;
using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

public sealed class SequenceLimitTests
{
    // Beginning-of-text 0, a prompt of three tokens, an answer of two.
    private static readonly int[] Ids = [0, 1, 2, 3, 4, 5];
    private static readonly bool[] Answer = [false, false, false, false, true, true];

    [Fact]
    public void A_row_within_the_limit_is_whole()
    {
        var (row, fate) = Limit(6).Apply(Ids, Answer, keepFirst: true);
        Assert.Equal(RowFate.Whole, fate);
        Assert.Equal(Ids, row!.Ids);
        Assert.Equal(2, row.TrainedTokenCount);
    }

    [Fact]
    public void The_beginning_of_the_prompt_is_cut_after_the_beginning_of_text()
    {
        var (row, fate) = Limit(4).Apply(Ids, Answer, keepFirst: true);
        Assert.Equal(RowFate.Truncated, fate);
        Assert.Equal([0, 3, 4, 5], row!.Ids);
        Assert.Equal([false, false, true, true], row.Trained);
    }

    [Fact]
    public void Without_a_beginning_of_text_the_first_token_goes_first() =>
        Assert.Equal([2, 3, 4, 5], Limit(4).Apply(Ids, Answer, keepFirst: false).Row!.Ids);

    [Fact]
    public void An_answer_that_does_not_fit_leaves_the_row_out() =>
        Assert.Equal((null, RowFate.OverLengthDropped), Limit(2).Apply(Ids, Answer, keepFirst: true));

    [Fact]
    public void Earlier_answers_of_a_conversation_may_be_cut_but_not_the_last()
    {
        bool[] twoAnswers = [false, false, true, false, false, true];
        Assert.Equal([0, 4, 5], Limit(3).Apply(Ids, twoAnswers, keepFirst: true).Row!.Ids);
        Assert.Equal([0, 5], Limit(2).Apply(Ids, twoAnswers, keepFirst: true).Row!.Ids);
    }

    [Fact]
    public void Cutting_the_end_of_a_long_prompt_leaves_no_trained_token() =>
        Assert.Equal((null, RowFate.NoTrainedToken), Limit(4, TruncationRule.End).Apply(Ids, Answer, keepFirst: true));

    [Fact]
    public void Cutting_the_end_may_shorten_the_answer() =>
        Assert.Equal([0, 1, 2, 3, 4], Limit(5, TruncationRule.End).Apply(Ids, Answer, keepFirst: true).Row!.Ids);

    [Fact]
    public void Long_rows_are_left_out_where_that_is_asked() =>
        Assert.Equal((null, RowFate.OverLengthDropped), Limit(5, TruncationRule.Drop).Apply(Ids, Answer, keepFirst: true));

    [Fact]
    public void A_loss_on_all_tokens_counts_every_token_but_the_first()
    {
        var limit = Limit(6) with { Loss = LossTokens.All };
        Assert.Equal(5, limit.Apply(Ids, Answer, keepFirst: true).Row!.TrainedTokenCount);
    }

    [Fact]
    public void Without_an_answer_a_row_trains_only_where_the_loss_is_on_all_tokens()
    {
        var none = new bool[Ids.Length];
        Assert.Equal((null, RowFate.NoTrainedToken), Limit(6).Apply(Ids, none, keepFirst: true));
        var row = (Limit(4) with { Loss = LossTokens.All }).Apply(Ids, none, keepFirst: true).Row!;
        Assert.Equal([0, 3, 4, 5], row.Ids);
        Assert.Equal(3, row.TrainedTokenCount);
    }

    [Fact]
    public void Windows_predict_every_token_of_a_text_but_the_first_exactly_once() =>
        Gen.Select(Gen.Int[0, 200], Gen.Int[2, 40]).Sample((length, maxTokens) =>
        {
            var windows = Limit(maxTokens).Windows([.. Enumerable.Range(0, length)]).ToArray();
            Assert.All(windows, window => Assert.InRange(window.Ids.Length, 2, maxTokens));
            Assert.Equal(Enumerable.Range(1, Math.Max(0, length - 1)), windows.SelectMany(window => window.Ids.Skip(1)));
        });

    private static SequenceLimit Limit(int maxTokens, TruncationRule rule = TruncationRule.PromptStart) => new(maxTokens, rule, LossTokens.Response);
}
