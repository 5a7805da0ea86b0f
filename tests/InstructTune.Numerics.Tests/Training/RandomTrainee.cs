using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>A model with random weights, trained whole or through an adapter.</summary>
internal sealed class RandomTrainee : ITrainee, IDisposable
{
    private readonly LlamaModel _model;
    private readonly LoraAdapter? _adapter;

    public RandomTrainee(LlamaConfig config, LoraConfig? lora = null)
    {
        VocabularySize = config.VocabularySize;
        _model = LlamaModel.CreateRandom(config, new StepSeed(3));
        if (lora is null)
        {
            _model.SetTrainable(true);
            return;
        }

        _adapter = LoraAdapter.Create(_model, lora, new StepSeed(4));
        _adapter.SetTrainable(true);
    }

    public LlamaModel Model => _model;

    public IReadOnlyList<NamedTensor> Weights => _adapter?.Parameters ?? _model.Parameters;

    public int VocabularySize { get; init; }

    public Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => _model.Hidden(ids_BT, _adapter, seed, placement);

    public Tensor Logits(Tensor hidden_RD) => _model.Logits(hidden_RD, _adapter);

    public double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered) =>
        _model.Backward(batch, stepTrainedTokens, new BackwardSettings { Adapter = _adapter, Dropout = seed, Entered = entered });

    public void Dispose()
    {
        _adapter?.Dispose();
        _model.Dispose();
    }
}
