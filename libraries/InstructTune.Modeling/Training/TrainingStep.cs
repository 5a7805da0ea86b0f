using InstructTune.Modeling.Numerics;
using TorchSharp;

namespace InstructTune.Modeling.Training;

/// <summary>What one optimizer step measured.</summary>
/// <param name="LossSum">Sum of the losses of its trained tokens, in nats.</param>
/// <param name="TrainedTokenCount">Tokens that carried loss.</param>
/// <param name="TokenCount">Tokens that were not padding.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
public sealed record StepResult(double LossSum, long TrainedTokenCount, long TokenCount, double GradientNorm)
{
    /// <summary>Nats per trained token.</summary>
    public double Loss => LossSum / TrainedTokenCount;

    /// <summary>Whether loss and gradients are numbers. If not, the weights were not updated.</summary>
    public bool IsFinite => double.IsFinite(LossSum) && double.IsFinite(GradientNorm);
}

/// <summary>One optimizer step: forward and backward of every micro-batch, clip, update.</summary>
/// <param name="trainee">The model.</param>
/// <param name="optimizer">Over the trainee's weights.</param>
/// <param name="maxGradientNorm">Null for no clipping.</param>
public sealed class TrainingStep(ITrainee trainee, Optimizer optimizer, double? maxGradientNorm)
{
    /// <summary>Told of each phase as it begins: for measurements.</summary>
    public Action<StepPhase>? Entered { get; init; }

    /// <summary>
    /// Runs the step at this rate. Its dropout follows from <paramref name="seed"/> and the order of its rows, not from their cut into micro-batches;
    /// <paramref name="turn"/> is held around every micro-batch and around the update, so that others may use the device between them.
    /// </summary>
    public StepResult Run(
        IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches, double rate, StepSeed seed, Func<IDisposable> turn)
    {
        var trainedTokens = microBatches.Sum(rows => rows.Sum(row => (long)row.TrainedTokenCount));
        ArgumentOutOfRangeException.ThrowIfZero(trainedTokens, nameof(microBatches));
        var lossSum = 0.0;
        var tokens = 0L;
        var place = new StepPlace(0, microBatches.Max(rows => rows.Max(row => row.Ids.Length)));
        foreach (var rows in microBatches)
        {
            using var held = turn();
            using var scope = torch.NewDisposeScope();
            using var batch = PaddedBatch.Of(rows, place);
            place = place with { FirstRow = place.FirstRow + rows.Count };
            tokens += batch.TokenCount;
            if (batch.TrainedTokenCount > 0)
            {
                lossSum += trainee.Backward(batch, seed, trainedTokens, Entered);
            }

            Entered?.Invoke(StepPhase.Other);
        }

        using var last = turn();
        Entered?.Invoke(StepPhase.Update);
        var norm = Update(rate, lossSum);
        Entered?.Invoke(StepPhase.Other);
        return new StepResult(lossSum, trainedTokens, tokens, norm);
    }

    private double Update(double rate, double lossSum)
    {
        var gradients = trainee.Weights.Select(weight => weight.Value.grad).OfType<torch.Tensor>().ToArray();
        var norm = GradientClip.Apply(gradients, maxGradientNorm);
        if (double.IsFinite(norm) && double.IsFinite(lossSum))
        {
            optimizer.Step(rate);
        }

        foreach (var weight in trainee.Weights)
        {
            weight.Value.grad = null;
        }

        foreach (var gradient in gradients)
        {
            gradient.Dispose();
        }

        return norm;
    }
}
