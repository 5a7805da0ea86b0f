using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Makes the model of a stage from what it sits on. Runs on the training thread.</summary>
internal sealed class ModelOpener(IArtifactStore artifacts)
{
    /// <summary>The model of a stage at its beginning, or as a checkpoint has it.</summary>
    public TrainedModel Open(FineTuneOrder order, int stageIndex, Foundation foundation, string? checkpointFolder)
    {
        var spec = order.Spec;
        var model = OpenFrozen(foundation, spec.LoraOf(spec.Stages[stageIndex]) is { QuantizesBase: true } ? BaseFormat.Nf4 : BaseFormat.Fp32);
        try
        {
            var trained = spec.LoraOf(spec.Stages[stageIndex]) is { } lora
                ? (TrainedModel)new AdapterModel(model, spec, lora, stageIndex, MergedBase.NameOf(order, foundation))
                : new FullModel(model);
            if (checkpointFolder is not null)
            {
                trained.LoadWeights(checkpointFolder);
            }

            return trained;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>What a stage sits on, as one model.</summary>
    public LlamaModel OpenFrozen(Foundation foundation, BaseFormat format = BaseFormat.Fp32)
    {
        var model = ModelFolder.Load(FolderOf(foundation.ManifestSha256), format: format);
        try
        {
            foreach (var sha256 in foundation.Adapters)
            {
                using var frozen = PeftAdapter.Read(FolderOf(sha256), model.Config);
                LoraMerge.Into(model, frozen);
            }

            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The verified folder of an artifact.</summary>
    public string FolderOf(string sha256) => artifacts.OpenAsync(sha256, CancellationToken.None).GetAwaiter().GetResult().Path;
}
