using InstructTune.Jobs;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Weights of the model itself are trained: all of them, or some. Checkpoints hold all.</summary>
internal sealed class FullModel : TrainedModel
{
    public const string WeightsFile = "model.safetensors";

    private readonly Func<string, bool> _isTrained;

    /// <param name="model">The weights; this object's to dispose.</param>
    /// <param name="freeze">Which are trained; null for all.</param>
    public FullModel(LlamaModel model, FreezeSpec? freeze)
        : base(model)
    {
        RefuseUnmatched(model, freeze);
        _isTrained = TrainedWeights.Of(freeze, model.Config);
        model.SetTrainable(_isTrained);
    }

    public override IReadOnlyList<NamedTensor> Weights => [.. Model.Parameters.Where(weight => _isTrained(weight.Name))];

    public override Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) =>
        Model.Hidden(ids_BT, placement: placement, noise: NoiseOf(seed));

    public override double Backward(PaddedBatch batch, StepSeed seed, long stepTrainedTokens, Action<StepPhase>? entered) =>
        Model.Backward(batch, stepTrainedTokens, new BackwardSettings { Noise = NoiseOf(seed), RecomputesLayers = RecomputesLayers, Entered = entered });

    public override Tensor HiddenForValidation(Tensor ids_BT) => Model.Hidden(ids_BT);

    public override void SaveWeights(string folder) => SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), Model.Parameters);

    public override void LoadWeights(string folder)
    {
        using var reader = SafetensorsReader.Open(Path.Combine(folder, WeightsFile));
        using var frozen = no_grad();
        foreach (var weight in Model.Parameters)
        {
            using var saved = reader.ReadFloat32(weight.Name);
            weight.Value.copy_(saved);
        }
    }

    public override void WriteResult(string folder, string baseFolder, IReadOnlyList<string> frozenAdapters) => WriteMerged(folder, baseFolder);

    public override void WriteMerged(string folder, string baseFolder) => HuggingFaceFolder.Write(folder, Model, baseFolder);

    private static void RefuseUnmatched(LlamaModel model, FreezeSpec? freeze)
    {
        if (freeze is null)
        {
            return;
        }

        var problem = freeze.LastLayers > model.Config.LayerCount
            ? $"trainable_last_layers is {freeze.LastLayers}, and the model has {model.Config.LayerCount} layers"
            : TrainedWeights.Unmatched(freeze, [.. model.Parameters.Select(weight => weight.Name)]) is { } module
                ? $"trainable_modules has {module}, which matches no module of the model"
                : null;
        if (problem is not null)
        {
            throw new JobFailedException(new JobFault("DATA_INVALID", $"The method freeze cannot be applied: {problem}. Correct the spec and create the job again."));
        }
    }
}
