using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>An optimizer whose weights are bfloat16 and stay so: each update is computed in float32 and rounded stochastically.</summary>
internal sealed class RoundedWeights : Optimizer
{
    private readonly IReadOnlyList<TrainedWeight> _weights;
    private readonly Optimizer _inner;
    private readonly StepSeed _seed;

    public RoundedWeights(IReadOnlyList<TrainedWeight> weights, OptimizerSettings settings, StepSeed seed)
        : base(settings)
    {
        (_weights, _seed) = (weights, seed);
        _inner = Create(weights, settings);
        foreach (var weight in weights)
        {
            using var nearest = weight.Value.to_type(ScalarType.BFloat16);
            weight.Value.copy_(nearest);
        }
    }

    public override IReadOnlyList<NamedTensor> Moments() => _inner.Moments();

    private protected override void Update(double rate)
    {
        _inner.Step(rate);
        foreach (var weight in _weights.Where(weight => weight.Value.grad is not null))
        {
            StochasticRounding.Apply(weight.Value, _seed.Derive(weight.Name, StepCount));
        }
    }

    private protected override void Restored(long stepCount) => _inner.Count(stepCount);
}
