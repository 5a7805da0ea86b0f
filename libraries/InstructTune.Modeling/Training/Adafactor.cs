using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// Adafactor (arXiv 1804.04235), as transformers does it. A matrix keeps the mean squares of its rows and of its columns in place of one
/// per element; the root mean square of an update is clipped before the rate.
/// </summary>
internal sealed class Adafactor : Optimizer
{
    private readonly AdafactorSettings _settings;
    private readonly Slot[] _slots;

    public Adafactor(IReadOnlyList<TrainedWeight> weights, AdafactorSettings settings)
        : base(settings)
    {
        _settings = settings;
        _slots = [.. weights.Select(weight => Slot.Of(weight, settings.Beta1 is not null))];
    }

    public override IReadOnlyList<NamedTensor> Moments() => [.. _slots.SelectMany(slot => slot.Moments())];

    private protected override void Update(double rate)
    {
        var decay = 1 - Math.Pow(StepCount, _settings.DecayRate);
        foreach (var slot in _slots)
        {
            if (slot.Weight.Value.grad is not { } gradient)
            {
                continue;
            }

            using var scope = NewDisposeScope();
            var weight = slot.Weight.Value;
            var weightRate = RateOf(weight, rate) * slot.Weight.RateFactor;
            // Disposed, and so alive, to the end of the block: see LivingScalar.
            using Scalar factor = weightRate, shrinkage = -DecayOf(slot.Weight) * weightRate;
            var update = slot.Normalized(gradient, decay, _settings.Epsilon);
            update.div_(RootMeanSquare(update).div(LivingScalar.Of(_settings.ClipThreshold)).clamp(min: LivingScalar.One)).mul_(factor);
            if (slot.Mean is { } mean)
            {
                update = mean.mul_(LivingScalar.Of(_settings.Beta1!.Value)).add_(update, LivingScalar.Of(1 - _settings.Beta1.Value));
            }

            weight.add_(weight, shrinkage).add_(update, LivingScalar.Of(-1));
        }
    }

    private double RateOf(Tensor weight, double rate)
    {
        var asked = _settings.UsesRelativeRate ? _settings.RelativeLimit(StepCount) : rate;
        return _settings.ScalesByWeight
            ? asked * Math.Max(_settings.LeastScale, RootMeanSquare(weight).to_type(ScalarType.Float64).item<double>())
            : asked;
    }

    private static Tensor RootMeanSquare(Tensor value) => linalg.vector_norm(value, 2).div(LivingScalar.Of(Math.Sqrt(value.numel())));

    /// <summary>One weight's state: <paramref name="Row"/> and <paramref name="Column"/> where it has two dimensions or more, else <paramref name="Square"/>.</summary>
    private sealed record Slot(TrainedWeight Weight, Tensor? Row, Tensor? Column, Tensor? Square, Tensor? Mean)
    {
        public static Slot Of(TrainedWeight weight, bool hasMean)
        {
            var shape = weight.Value.shape;
            var mean = hasMean ? Zeros(weight.Value) : null;
            return shape.Length < 2
                ? new Slot(weight, null, null, Zeros(weight.Value), mean)
                : new Slot(weight, Empty(weight, shape[..^1]), Empty(weight, [.. shape[..^2], shape[^1]]), null, mean);
        }

        public IEnumerable<NamedTensor> Moments() =>
            new (string Suffix, Tensor? Value)[] { ("exp_avg_sq_row", Row), ("exp_avg_sq_col", Column), ("exp_avg_sq", Square), ("exp_avg", Mean) }
                .Where(part => part.Value is not null)
                .Select(part => new NamedTensor($"{Weight.Name}.{part.Suffix}", part.Value!));

        /// <summary>Takes the squares of the gradient into the state and divides the gradient by their root.</summary>
        public Tensor Normalized(Tensor gradient, double decay, double epsilon)
        {
            using Scalar old = decay, fresh = 1 - decay;
            var square = (gradient * gradient).add_(LivingScalar.Of(epsilon), LivingScalar.One);
            if (Square is { } kept)
            {
                return kept.mul_(old).add_(square, fresh).rsqrt().mul_(gradient);
            }

            Row!.mul_(old).add_(square.mean([-1]), fresh);
            Column!.mul_(old).add_(square.mean([-2]), fresh);
            var rows = Row.div(Row.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1);
            return rows.mul(Column.unsqueeze(-2).rsqrt()).mul_(gradient);
        }

        private static Tensor Empty(TrainedWeight weight, long[] shape) =>
            zeros(shape, weight.Value.dtype, weight.Value.device).DetachFromDisposeScope();
    }
}
