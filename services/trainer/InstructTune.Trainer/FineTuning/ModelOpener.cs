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
        var method = spec.MethodOf(spec.Stages[stageIndex]);
        var model = OpenFrozen(foundation, FormatOf(spec, method.Lora));
        try
        {
            var trained = method.Lora is { } lora
                ? (TrainedModel)new AdapterModel(model, spec, lora, stageIndex, MergedBase.NameOf(order, foundation))
                : new FullModel(model, method.Freeze);
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
        var model = ModelFolder.Load(FolderOf(foundation.ManifestSha256), format: foundation.Adapters.Count == 0 ? format : BaseFormat.Fp32);
        try
        {
            foreach (var sha256 in foundation.Adapters)
            {
                using var frozen = PeftAdapter.Read(FolderOf(sha256), model.Config);
                LoraMerge.Into(model, frozen);
            }

            return model.Format == format ? model : Narrowed(model, format);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The configuration of full weights, as their files have it.</summary>
    public string ConfigOf(string sha256) => File.ReadAllText(Path.Combine(FolderOf(sha256), "config.json"));

    private static BaseFormat FormatOf(FineTuneSpec spec, LoraSpec? lora) => lora switch
    {
        null => BaseFormat.Fp32,
        { QuantizesBase: true, HasPlainScales: true } => BaseFormat.Nf4PlainScales,
        { QuantizesBase: true } => BaseFormat.Nf4,
        _ => spec.Precision == TrainingPrecision.Float32 ? BaseFormat.Fp32 : BaseFormat.Bf16,
    };

    // Adapters are merged in float32 and rounded once.
    private static LlamaModel Narrowed(LlamaModel model, BaseFormat format)
    {
        if (format == BaseFormat.Fp32)
        {
            return model;
        }

        using (model)
        {
            return model.InFormat(format);
        }
    }

    /// <summary>The verified folder of an artifact.</summary>
    public string FolderOf(string sha256) => artifacts.OpenAsync(sha256, CancellationToken.None).GetAwaiter().GetResult().Path;
}
