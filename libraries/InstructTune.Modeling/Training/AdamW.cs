using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>The constants of AdamW.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of their squares.</param>
/// <param name="Epsilon">Added outside the corrected root.</param>
/// <param name="WeightDecay">Decoupled; never on biases and norms.</param>
public sealed record AdamWSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0);

/// <summary>
/// AdamW with decoupled decay, step t from 1:
/// <c>p *= 1 - lr wd; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g g; p -= lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps)</c>.
/// Owns the moments; the weights stay the caller's.
/// </summary>
public sealed class AdamW : IDisposable
{
    private readonly AdamWSettings _settings;
    private readonly Slot[] _slots;

    /// <summary>Fresh moments for the weights, which must be leaves that require gradients.</summary>
    public AdamW(IReadOnlyList<NamedTensor> weights, AdamWSettings settings)
    {
        _settings = settings;
        using var noGrad = no_grad();
        _slots = [.. weights.Select(weight => new Slot(
            weight.Name, weight.Value, zeros_like(weight.Value).DetachFromDisposeScope(), zeros_like(weight.Value).DetachFromDisposeScope()))];
    }

    /// <summary>Updates done.</summary>
    public long StepCount { get; private set; }

    /// <summary>Whether a parameter of this name decays: all but biases and norms do, embeddings and adapters too.</summary>
    public static bool Decays(string name) =>
        !name.Contains("bias", StringComparison.Ordinal) && !name.Contains("norm", StringComparison.Ordinal);

    /// <summary>One update at this rate from the gradients the weights hold.</summary>
    public void Step(double rate)
    {
        StepCount++;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var count = tensor((float)StepCount);
        foreach (var group in _slots.Where(slot => slot.Weight.grad is not null).GroupBy(slot => Decays(slot.Name)))
        {
            var slots = group.ToArray();
            TensorListScripts.FusedAdamW(
                [.. slots.Select(slot => slot.Weight)], [.. slots.Select(slot => slot.Weight.grad!)], [.. slots.Select(slot => slot.Mean)],
                [.. slots.Select(slot => slot.Square)], [.. slots.Select(_ => count)],
                _settings, rate, group.Key ? _settings.WeightDecay : 0);
        }
    }

    /// <summary>The moments, named <c>NAME.exp_avg</c> and <c>NAME.exp_avg_sq</c>. They stay this object's.</summary>
    public IReadOnlyList<NamedTensor> Moments() =>
        [.. _slots.SelectMany(slot => new[] { new NamedTensor(slot.Name + ".exp_avg", slot.Mean), new NamedTensor(slot.Name + ".exp_avg_sq", slot.Square) })];

    /// <summary>Takes over moments of <see cref="Moments"/>, copied, and the number of updates behind them.</summary>
    public void Restore(IReadOnlyDictionary<string, Tensor> moments, long stepCount)
    {
        using var noGrad = no_grad();
        foreach (var moment in Moments())
        {
            if (!moments.TryGetValue(moment.Name, out var saved) || !saved.shape.AsSpan().SequenceEqual(moment.Value.shape))
            {
                throw new InvalidOperationException($"the saved optimizer state has no tensor {moment.Name} of shape [{string.Join(", ", moment.Value.shape)}]");
            }

            moment.Value.copy_(saved);
        }

        StepCount = stepCount;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
        }
    }

    private sealed record Slot(string Name, Tensor Weight, Tensor Mean, Tensor Square);
}
