using CsCheck;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

public sealed class LengthGroupsTests
{
    [Fact]
    public void Every_row_stands_once_and_batches_of_a_window_do_not_overlap_in_length() =>
        Gen.Select(Gen.Int[1, 200].Array[1, 260], Gen.Int[1, 9]).Sample((lengths, batchSize) =>
        {
            var order = LengthGroups.Arrange(SeededPermutation.Of(lengths.Length, new StepSeed(4)), lengths, batchSize, new StepSeed(5));
            Assert.Equal(Enumerable.Range(0, lengths.Length), order.Order());
            foreach (var window in order.Chunk(batchSize * 50))
            {
                var ranges = window.Chunk(batchSize).Select(batch => (Least: batch.Min(row => lengths[row]), Most: batch.Max(row => lengths[row]))).OrderBy(r => r.Least).ThenBy(r => r.Most);
                Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.True(pair.First.Most <= pair.Second.Least));
            }
        });

    [Fact]
    public void Batches_do_not_follow_the_length()
    {
        var lengths = Enumerable.Range(1, 400).ToArray();
        var firsts = LengthGroups.Arrange(SeededPermutation.Of(400, new StepSeed(1)), lengths, 8, new StepSeed(2)).Chunk(8).Select(batch => lengths[batch[0]]).ToArray();
        Assert.NotEqual(firsts.OrderDescending(), firsts);
    }

    [Fact]
    public void A_plan_with_lengths_gives_each_epoch_its_own_groups_again_and_again()
    {
        var plan = new BatchPlan(30, 4, Epochs: 2, MaxSteps: 0, new StepSeed(9)) { GroupedLengths = [.. Enumerable.Range(0, 30).Select(row => row * 7 % 30)] };
        var (first, second) = (new Batcher(plan), new Batcher(plan));
        var forwards = Enumerable.Range(0, 16).Select(step => first.Rows(step)).ToArray();
        var backwards = Enumerable.Range(0, 16).Reverse().Select(step => second.Rows(step)).Reverse().ToArray();
        Assert.Equal(forwards, backwards);
        Assert.NotEqual(forwards[..8], forwards[8..]);
    }
}
