using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Benchmarks.Training;

/// <summary>A model with random weights, trained in full or through an adapter on all linear layers.</summary>
internal sealed class BenchmarkTrainee : ITrainee, IDisposable
{
    private readonly LlamaModel _model;
    private readonly LoraAdapter? _adapter;

    public BenchmarkTrainee(LlamaConfig config, int rank, BaseFormat format = BaseFormat.Fp32)
    {
        _model = Create(config, format);
        if (rank == 0)
        {
            _model.SetTrainable(true);
            return;
        }

        _adapter = LoraAdapter.Create(_model, LoraOf(rank), new StepSeed(4));
        _adapter.SetTrainable(true);
    }

    public static LoraConfig LoraOf(int rank) => new() { Rank = rank, Alpha = 2 * rank, TargetModules = LoraConfig.AllLinear };

    public IReadOnlyList<NamedTensor> Weights => _adapter?.Parameters ?? _model.Parameters;

    public int VocabularySize => _model.Config.VocabularySize;

    public bool RecomputesLayers { get; init; }

    public Action<DriverWork>? Working { get; set; }

    public long ParameterCount => _model.ParameterCount;

    public Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => _model.Hidden(ids_BT, _adapter, seed, placement);

    public Tensor Logits(Tensor hidden_RD) => _model.Logits(hidden_RD, _adapter);

    public double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered) =>
        _model.Backward(batch, stepTrainedTokens, new BackwardSettings { Adapter = _adapter, Dropout = seed, RecomputesLayers = RecomputesLayers, Entered = entered, Working = Working });

    public void Dispose()
    {
        _adapter?.Dispose();
        _model.Dispose();
    }

    private static LlamaModel Create(LlamaConfig config, BaseFormat format)
    {
        var model = LlamaModel.CreateRandom(config, new StepSeed(3));
        if (format == BaseFormat.Fp32)
        {
            return model;
        }

        var packed = new LlamaModel(config, format);
        using var frozen = no_grad();
        foreach (var weight in packed.Weights)
        {
            using var value = model.Read(weight.Name);
            weight.Write(value);
        }

        model.Dispose();
        NativeHeap.Release();
        return packed;
    }
}
