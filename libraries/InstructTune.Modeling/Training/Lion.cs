using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>Lion (arXiv 2302.06675): <c>p *= 1 - lr wd; p -= lr sign(b1 m + (1-b1) g); m = b2 m + (1-b2) g</c>.</summary>
internal sealed class Lion : Optimizer
{
    private readonly LionSettings _settings;
    private readonly Slot[] _slots;

    public Lion(IReadOnlyList<TrainedWeight> weights, LionSettings settings)
        : base(settings)
    {
        _settings = settings;
        _slots = [.. weights.Select(weight => new Slot(weight, Zeros(weight.Value)))];
    }

    public override IReadOnlyList<NamedTensor> Moments() => [.. _slots.Select(slot => new NamedTensor(slot.Weight.Name + ".exp_avg", slot.Mean))];

    private protected override void Update(double rate)
    {
        foreach (var slot in _slots)
        {
            if (slot.Weight.Value.grad is not { } gradient)
            {
                continue;
            }

            using var scope = NewDisposeScope();
            var weightRate = rate * slot.Weight.RateFactor;
            // Disposed, and so alive, to the end of the block: see LivingScalar.
            using Scalar kept = 1 - (weightRate * DecayOf(slot.Weight)), step = -weightRate;
            slot.Weight.Value.mul_(kept);
            var direction = slot.Mean.mul(LivingScalar.Of(_settings.Beta1)).add_(gradient, LivingScalar.Of(1 - _settings.Beta1)).sign_();
            slot.Weight.Value.add_(direction, step);
            slot.Mean.mul_(LivingScalar.Of(_settings.Beta2)).add_(gradient, LivingScalar.Of(1 - _settings.Beta2));
        }
    }

    private sealed record Slot(TrainedWeight Weight, Tensor Mean);
}
