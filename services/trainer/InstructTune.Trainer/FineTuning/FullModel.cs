using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>All weights are trained, in float32.</summary>
internal sealed class FullModel : TrainedModel
{
    private const string WeightsFile = "model.safetensors";

    public FullModel(LlamaModel model)
        : base(model)
    {
        model.SetTrainable(true);
    }

    public override IReadOnlyList<NamedTensor> Weights => Model.Parameters;

    public override Tensor Hidden(Tensor ids_BT, StepSeed seed, TokenPlacement? placement) => Model.Hidden(ids_BT, placement: placement);

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
}
