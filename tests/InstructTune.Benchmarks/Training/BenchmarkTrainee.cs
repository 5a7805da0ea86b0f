using InstructTune.Modeling.Adapters;
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

    public BenchmarkTrainee(LlamaConfig config, int rank)
    {
        _model = LlamaModel.CreateRandom(config, new StepSeed(3));
        if (rank == 0)
        {
            _model.SetTrainable(true);
            return;
        }

        _adapter = LoraAdapter.Create(_model, new LoraConfig { Rank = rank, Alpha = 2 * rank, TargetModules = LoraConfig.AllLinear }, new StepSeed(4));
        _adapter.SetTrainable(true);
    }

    public IReadOnlyList<NamedTensor> Weights => _adapter?.Parameters ?? _model.Parameters;

    public int VocabularySize => _model.Config.VocabularySize;

    public long ParameterCount => _model.ParameterCount;

    public Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => _model.Hidden(ids_BT, _adapter, seed, placement);

    public Tensor Logits(Tensor hidden_RD) => _model.Logits(hidden_RD, _adapter);

    public void Dispose()
    {
        _adapter?.Dispose();
        _model.Dispose();
    }
}
