using CsCheck;
using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

public sealed class ProportionalCutsTests
{
    // Two exchanges: six tokens of prompt and two of answer, then three and five.
    private static readonly bool[] Answer = [.. Marks(6, 2), .. Marks(3, 5)];

    [Theory]
    [InlineData(600, 100, 512, 412, 100)]
    [InlineData(100, 600, 512, 100, 412)]
    [InlineData(400, 400, 512, 256, 256)]
    [InlineData(300, 256, 512, 277, 235)]
    [InlineData(200, 300, 512, 200, 300)]
    [InlineData(1000, 255, 512, 257, 255)]
    public void Prompt_and_answer_share_the_room_as_published(int source, int target, int room, int keptSource, int keptTarget)
    {
        var kept = Kept(Marks(source, target), room, lastFirst: false);
        Assert.Equal([.. Enumerable.Range(0, keptSource), .. Enumerable.Range(source, keptTarget)], kept);
    }

    [Fact]
    public void The_first_exchange_is_served_first() =>
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 11], Kept(Answer, 10, lastFirst: false));

    [Fact]
    public void The_last_exchange_is_served_first_where_that_is_asked() =>
        Assert.Equal([0, 1, 8, 9, 10, 11, 12, 13, 14, 15], Kept(Answer, 10, lastFirst: true));

    [Fact]
    public void An_exchange_without_room_is_lost() => Assert.Equal(Enumerable.Range(0, 8), Kept(Answer, 8, lastFirst: false));

    [Fact]
    public void A_loss_on_the_last_answer_serves_it_first_and_trains_no_earlier_one()
    {
        var limit = new SequenceLimit(14, TruncationRule.Proportional, LossTokens.LastResponse);
        var row = limit.Apply([.. Enumerable.Range(0, 16)], Answer, keepFirst: false).Row!;
        Assert.Equal([0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], row.Ids);
        Assert.Equal([11, 12, 13, 14, 15], row.Ids.Where((_, i) => row.Trained[i]));
    }

    [Fact]
    public void No_more_is_kept_than_there_is_room_for() => Gen.Select(Gen.Bool.Array[0, 60], Gen.Int[0, 70], Gen.Bool).Sample((answer, room, lastFirst) =>
        Assert.True(Kept(answer, room, lastFirst).Length <= room));

    private static int[] Kept(bool[] answer, int room, bool lastFirst)
    {
        var cuts = ProportionalCuts.Of(answer, room, lastFirst);
        return [.. Enumerable.Range(0, answer.Length).Where(i => !Array.Exists(cuts, cut => i >= cut.From && i < cut.To))];
    }

    private static bool[] Marks(int source, int target) => [.. Enumerable.Repeat(element: false, source), .. Enumerable.Repeat(element: true, target)];
}
