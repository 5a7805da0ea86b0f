using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Driver;

/// <summary>A small model with what is trained of it, whose gradients are computed by the driver and by libtorch's graph.</summary>
internal sealed class DriverCase : IDisposable
{
    private static readonly StepSeed s_seed = StepSeed.Of(29, "stage", 0, "driver");
    private readonly LlamaModel _model;
    private readonly LoraAdapter? _adapter;

    private DriverCase(LlamaModel model, LoraAdapter? adapter)
    {
        (_model, _adapter) = (model, adapter);
    }

    public EmbeddingNoise? Noise { get; init; }

    public IReadOnlyList<NamedTensor> Weights => [.. (_adapter?.Parameters ?? _model.Parameters).Where(weight => weight.Value.requires_grad)];

    public static DriverCase Noisy(LlamaConfig config)
    {
        var model = SmallConfigs.Random(config, s_seed, BaseFormat.Fp32);
        model.SetTrainable(true);
        return new DriverCase(model, null) { Noise = new EmbeddingNoise(5, s_seed.Derive("noise")) };
    }

    public static DriverCase Full(LlamaConfig config, Func<string, bool>? trains = null)
    {
        var model = SmallConfigs.Random(config, s_seed, BaseFormat.Fp32);
        Perturb(model.Parameters);
        model.SetTrainable(true);
        foreach (var weight in model.Parameters.Where(weight => trains?.Invoke(weight.Name) == false))
        {
            weight.Value.requires_grad_(false);
        }

        return new DriverCase(model, null);
    }

    public static DriverCase Lora(LlamaConfig config, LoraConfig lora, BaseFormat format = BaseFormat.Fp32, double noise = 0)
    {
        var model = SmallConfigs.Random(config, s_seed, format);
        var adapter = LoraAdapter.Create(model, lora, s_seed);
        Perturb(adapter.Parameters);
        adapter.SetTrainable(true);
        return new DriverCase(model, adapter) { Noise = noise > 0 ? new EmbeddingNoise(noise, s_seed.Derive("noise")) : null };
    }

    /// <summary>Loss and gradients by the driver, as the sum of the micro-batches.</summary>
    public (double Loss, Dictionary<string, float[]> Gradients) ByDriver(IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches, bool recomputes = false) =>
        Sum(microBatches, (batch, count) => _model.Backward(
            batch, count, new BackwardSettings { Adapter = _adapter, Dropout = s_seed, Noise = Noise, RecomputesLayers = recomputes }));

    /// <summary>The same by a graph over the whole model.</summary>
    public (double Loss, Dictionary<string, float[]> Gradients) ByGraph(IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches) =>
        Sum(microBatches, (batch, count) => ResponseLoss.Backward(
            _model.Hidden(batch.Ids_BT, _adapter, s_seed, batch.Placement, Noise, batch.Place), batch,
            (rows, first) => _model.Logits(rows, _adapter, batch.SeedsOf(new RowSeeds(s_seed, batch.Place.FirstRow, batch.Ids_BT.size(1)), first, rows.size(0))),
            _model.Config.VocabularySize, count));

    public void Dispose()
    {
        _adapter?.Dispose();
        _model.Dispose();
    }

    // So that B is not zero, norms are not one and biases not zero.
    private static void Perturb(IReadOnlyList<NamedTensor> weights)
    {
        using var frozen = no_grad();
        foreach (var (name, value) in weights)
        {
            using var generator = s_seed.Derive("perturb " + name).NewGenerator();
            using var noise = randn(value.shape, generator: generator);
            using var small = noise.mul_(0.1);
            value.add_(small);
        }
    }

    private (double Loss, Dictionary<string, float[]> Gradients) Sum(
        IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches, Func<PaddedBatch, long, double> backward)
    {
        var count = microBatches.Sum(rows => rows.Sum(row => (long)row.TrainedTokenCount));
        var loss = 0.0;
        var place = new StepPlace(0, microBatches.Max(rows => rows.Max(row => row.Ids.Length)));
        foreach (var rows in microBatches)
        {
            using var scope = NewDisposeScope();
            using var batch = PaddedBatch.Of(rows, place);
            place = place with { FirstRow = place.FirstRow + rows.Count };
            loss += backward(batch, count);
        }

        var gradients = Weights.ToDictionary(weight => weight.Name, weight => weight.Value.grad!.data<float>().ToArray(), StringComparer.Ordinal);
        foreach (var weight in Weights)
        {
            weight.Value.grad = null;
        }

        return (loss, gradients);
    }
}
