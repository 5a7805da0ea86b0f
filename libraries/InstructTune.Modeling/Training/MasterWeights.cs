using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// An optimizer over float32 masters of weights that the model has in bfloat16: plain bfloat16 weights would lose every update below about 1/512 of their size.
/// The masters are a part of the state.
/// </summary>
internal sealed class MasterWeights : Optimizer
{
    private readonly IReadOnlyList<TrainedWeight> _weights;
    private readonly TrainedWeight[] _masters;
    private readonly Optimizer _inner;

    public MasterWeights(IReadOnlyList<TrainedWeight> weights, OptimizerSettings settings)
        : base(settings)
    {
        _weights = weights;
        _masters = [.. weights.Select(weight => weight with { Value = weight.Value.detach().clone().requires_grad_().DetachFromDisposeScope() })];
        _inner = Create(_masters, settings);
        CopyToWeights();
    }

    public override IReadOnlyList<NamedTensor> Moments() =>
        [.. _inner.Moments(), .. _masters.Select(master => new NamedTensor(master.Name + ".master", master.Value))];

    private protected override void Update(double rate)
    {
        foreach (var (master, weight) in _masters.Zip(_weights))
        {
            master.Value.grad = weight.Value.grad;
        }

        _inner.Step(rate);
        foreach (var master in _masters)
        {
            master.Value.grad = null;
        }

        CopyToWeights();
    }

    private protected override void Restored(long stepCount) => _inner.Count(stepCount);

    private void CopyToWeights()
    {
        foreach (var (master, weight) in _masters.Zip(_weights))
        {
            using var rounded = master.Value.to_type(ScalarType.BFloat16);
            weight.Value.copy_(rounded);
        }
    }
}
