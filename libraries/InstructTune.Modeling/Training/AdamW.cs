using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// AdamW with decoupled decay, step t from 1:
/// <c>p *= 1 - lr wd; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g g; p -= lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps)</c>.
/// </summary>
internal sealed class AdamW : Optimizer
{
    private readonly AdamWSettings _settings;
    private readonly Slot[] _slots;

    public AdamW(IReadOnlyList<TrainedWeight> weights, AdamWSettings settings)
        : base(settings)
    {
        _settings = settings;
        _slots = [.. weights.Select(weight => new Slot(weight, Zeros(weight.Value), Zeros(weight.Value)))];
    }

    public override IReadOnlyList<NamedTensor> Moments() =>
        [.. _slots.SelectMany(slot => new[] { new NamedTensor(slot.Weight.Name + ".exp_avg", slot.Mean), new NamedTensor(slot.Weight.Name + ".exp_avg_sq", slot.Square) })];

    private protected override void Update(double rate)
    {
        using var count = tensor((float)StepCount);
        foreach (var group in _slots.Where(slot => slot.Weight.Value.grad is not null).GroupBy(slot => (Decay: DecayOf(slot.Weight), slot.Weight.RateFactor)))
        {
            var slots = group.ToArray();
            TensorListScripts.FusedAdamW(
                [.. slots.Select(slot => slot.Weight.Value)], [.. slots.Select(slot => slot.Weight.Value.grad!)], [.. slots.Select(slot => slot.Mean)],
                [.. slots.Select(slot => slot.Square)], [.. slots.Select(_ => count)],
                _settings, rate * group.Key.RateFactor, group.Key.Decay);
        }
    }

    private sealed record Slot(TrainedWeight Weight, Tensor Mean, Tensor Square);
}
