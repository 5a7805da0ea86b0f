using InstructTune.Modeling.Numerics;

namespace InstructTune.Modeling.Training;

/// <summary>What fixes the order of a stage's rows.</summary>
/// <param name="RowCount">Rows of the stage; at least 1.</param>
/// <param name="BatchSize">Rows of an optimizer step; the last step of an epoch may have fewer.</param>
/// <param name="Epochs">Passes over the rows; may have a fraction.</param>
/// <param name="MaxSteps">Steps after which the stage ends at the latest; 0 for no such bound.</param>
/// <param name="Seed">Of the order of rows.</param>
public sealed record BatchPlan(int RowCount, int BatchSize, double Epochs, long MaxSteps, StepSeed Seed)
{
    /// <summary>Tokens of each row, to make batches of rows of like length; null to take rows as they come.</summary>
    public IReadOnlyList<int>? GroupedLengths { get; init; }
}

/// <summary>
/// Which rows make which optimizer step: a pure function of the plan and the step's index, so that resuming needs the index and nothing else.
/// Every epoch has its own permutation.
/// </summary>
public sealed class Batcher
{
    private readonly BatchPlan _plan;
    private (long Epoch, int[] Order) _current = (-1, []);

    /// <summary>Checks the plan.</summary>
    public Batcher(BatchPlan plan)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.RowCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(plan.Epochs);
        ArgumentOutOfRangeException.ThrowIfNegative(plan.MaxSteps);
        _plan = plan;
        StepsPerEpoch = (plan.RowCount + plan.BatchSize - 1) / plan.BatchSize;
        var ofEpochs = (long)Math.Ceiling(StepsPerEpoch * plan.Epochs);
        PlannedSteps = plan.MaxSteps == 0 ? ofEpochs : Math.Min(ofEpochs, plan.MaxSteps);
    }

    /// <summary>Optimizer steps of one pass.</summary>
    public long StepsPerEpoch { get; }

    /// <summary>Optimizer steps of the stage.</summary>
    public long PlannedSteps { get; }

    /// <summary>Passes done before <paramref name="step"/>, counted from 0.</summary>
    public double EpochAt(long step) => (double)step / StepsPerEpoch;

    /// <summary>The rows of <paramref name="step"/>, counted from 0.</summary>
    public int[] Rows(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, PlannedSteps);
        var epoch = Math.DivRem(step, StepsPerEpoch, out var stepOfEpoch);
        if (_current.Epoch != epoch)
        {
            _current = (epoch, Order(_plan.Seed.Derive("epoch", epoch)));
        }

        var start = (int)stepOfEpoch * _plan.BatchSize;
        return _current.Order[start..Math.Min(start + _plan.BatchSize, _plan.RowCount)];
    }

    private int[] Order(StepSeed seed)
    {
        var order = SeededPermutation.Of(_plan.RowCount, seed);
        return _plan.GroupedLengths is { } lengths ? LengthGroups.Arrange(order, lengths, _plan.BatchSize, seed.Derive("groups")) : order;
    }
}
