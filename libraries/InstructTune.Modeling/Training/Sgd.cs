using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// Stochastic gradient descent as torch does it: <c>d = g + wd p; b = momentum b + (1 - dampening) d</c>, where the first b is d itself;
/// <c>p -= lr b</c>, or with Nesterov <c>p -= lr (d + momentum b)</c>.
/// </summary>
internal sealed class Sgd : Optimizer
{
    private readonly SgdSettings _settings;
    private readonly Slot[] _slots;

    public Sgd(IReadOnlyList<TrainedWeight> weights, SgdSettings settings)
        : base(settings)
    {
        _settings = settings;
        _slots = [.. weights.Select(weight => new Slot(weight, settings.Momentum == 0 ? null : Zeros(weight.Value)))];
    }

    public override IReadOnlyList<NamedTensor> Moments() =>
        [.. _slots.Where(slot => slot.Buffer is not null).Select(slot => new NamedTensor(slot.Weight.Name + ".momentum_buffer", slot.Buffer!))];

    private protected override void Update(double rate)
    {
        foreach (var slot in _slots)
        {
            if (slot.Weight.Value.grad is { } gradient)
            {
                using var scope = NewDisposeScope();
                // Disposed, and so alive, to the end of the block: see LivingScalar.
                using Scalar step = -rate * slot.Weight.RateFactor;
                var direction = gradient.add(slot.Weight.Value, LivingScalar.Of(DecayOf(slot.Weight)));
                slot.Weight.Value.add_(Directed(slot.Buffer, direction), step);
            }
        }
    }

    private Tensor Directed(Tensor? buffer, Tensor direction)
    {
        if (buffer is null)
        {
            return direction;
        }

        // The first moment is the gradient whole, or dampening would make the first step too short.
        buffer.mul_(LivingScalar.Of(_settings.Momentum)).add_(direction, LivingScalar.Of(StepCount == 1 ? 1 : 1 - _settings.Dampening));
        return _settings.IsNesterov ? direction.add(buffer, LivingScalar.Of(_settings.Momentum)) : buffer;
    }

    private sealed record Slot(TrainedWeight Weight, Tensor? Buffer);
}
