using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>A model with random weights, trained whole.</summary>
internal sealed class RandomTrainee : ITrainee, IDisposable
{
    private readonly LlamaModel _model;

    public RandomTrainee(LlamaConfig config)
    {
        VocabularySize = config.VocabularySize;
        _model = LlamaModel.CreateRandom(config, new StepSeed(3));
        _model.SetTrainable(true);
    }

    public LlamaModel Model => _model;

    public IReadOnlyList<NamedTensor> Weights => _model.Parameters;

    public int VocabularySize { get; init; }

    public Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => _model.Hidden(ids_BT, placement: placement);

    public Tensor Logits(Tensor hidden_RD) => _model.Logits(hidden_RD);

    public double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered) =>
        _model.Backward(batch, stepTrainedTokens, new BackwardSettings { Entered = entered });

    public void Dispose() => _model.Dispose();
}
