using CsCheck;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

public sealed class BatcherTests
{
    private static readonly Gen<BatchPlan> Plans = Gen.Select(
        Gen.Int[1, 60], Gen.Int[1, 20], Gen.Double[0.1, 3], Gen.Long[0, 10], Gen.ULong,
        (rows, batch, epochs, maxSteps, seed) => new BatchPlan(rows, batch, epochs, maxSteps, new StepSeed(seed)));

    [Fact]
    public void An_epoch_uses_every_row_once() =>
        Plans.Sample(plan =>
        {
            var batcher = new Batcher(plan with { Epochs = 1, MaxSteps = 0 });
            var rows = Steps(batcher).SelectMany(step => batcher.Rows(step)).Order();
            Assert.Equal(Enumerable.Range(0, plan.RowCount), rows);
        });

    [Fact]
    public void A_step_is_the_same_whatever_was_asked_before() =>
        Plans.Sample(plan =>
        {
            var forward = new Batcher(plan);
            var inOrder = Steps(forward).Select(step => forward.Rows(step)).ToArray();
            foreach (var step in Steps(forward).Reverse())
            {
                Assert.Equal(inOrder[step], new Batcher(plan).Rows(step));
            }
        });

    [Fact]
    public void Steps_are_the_epochs_rounded_up_and_never_more_than_the_bound() =>
        Plans.Sample(plan =>
        {
            var batcher = new Batcher(plan);
            var ofEpochs = (long)Math.Ceiling(Math.Ceiling((double)plan.RowCount / plan.BatchSize) * plan.Epochs);
            Assert.Equal(plan.MaxSteps == 0 ? ofEpochs : Math.Min(plan.MaxSteps, ofEpochs), batcher.PlannedSteps);
        });

    [Fact]
    public void Epochs_have_different_orders()
    {
        var batcher = new Batcher(new BatchPlan(RowCount: 100, BatchSize: 100, Epochs: 2, MaxSteps: 0, Seed: new StepSeed(7)));
        Assert.NotEqual(batcher.Rows(0), batcher.Rows(1));
    }

    [Fact]
    public void A_smaller_subset_is_contained_in_a_larger_one() =>
        Gen.Select(Gen.Int[1, 200], Gen.Int[1, 200], Gen.Int[1, 200], Gen.ULong).Sample((count, a, b, seed) =>
        {
            var small = SeededPermutation.Subset(count, Math.Min(a, b), new StepSeed(seed));
            var large = SeededPermutation.Subset(count, Math.Max(a, b), new StepSeed(seed));
            Assert.Empty(small.Except(large));
            Assert.Equal(Math.Min(count, Math.Min(a, b)), small.Length);
        });

    [Fact]
    public void Places_of_a_permutation_are_uniform()
    {
        const int Seeds = 20_000;
        var counts = new int[6];
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            counts[Array.IndexOf(SeededPermutation.Of(6, new StepSeed(seed)), 0)]++;
        }

        // Five standard deviations of a binomial count with p = 1/6.
        var tolerance = 5 * Math.Sqrt(Seeds * (1 / 6.0) * (5 / 6.0));
        Assert.All(counts, count => Assert.InRange(count, (Seeds / 6.0) - tolerance, (Seeds / 6.0) + tolerance));
    }

    [Fact]
    public void Micro_batches_hold_every_row_within_both_bounds() =>
        Gen.Select(Gen.Int[1, 30].Array[1, 40], Gen.Int[1, 8], Gen.Long[1, 100]).Sample((lengths, maxRows, maxTokens) =>
        {
            var rows = lengths.Select(length => new TokenizedExample(new int[length], new bool[length])).ToArray();
            var passes = MicroBatches.Cut(rows, maxRows, maxTokens);
            Assert.Equal(rows.Length, passes.SelectMany(pass => pass).ToHashSet(ReferenceEqualityComparer.Instance).Count);
            Assert.All(passes, pass =>
            {
                Assert.InRange(pass.Count, 1, maxRows);
                Assert.True(pass.Count == 1 || pass.Count * pass.Max(row => row.Ids.Length) <= maxTokens);
            });
        });

    private static int[] Steps(Batcher batcher) => [.. Enumerable.Range(0, (int)batcher.PlannedSteps)];
}
