using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Trainer.Registry;

/// <summary>Checks an adapter folder against its base by loading it, as serving will.</summary>
internal sealed class AdapterInspector(IArtifactStore artifacts)
{
    /// <exception cref="ModelFormatException">A file, key or tensor is missing, extra, malformed or does not fit the base.</exception>
    public async Task<InspectedModel> InspectAsync(string folder, ModelVersionRecord baseModel, CancellationToken ct)
    {
        var baseFiles = await artifacts.OpenAsync(baseModel.ManifestSha256, ct);
        return await Task.Run(() => Inspect(folder, baseFiles.Path, baseModel), ct);
    }

    private static InspectedModel Inspect(string folder, string baseFolder, ModelVersionRecord baseModel)
    {
        using var adapter = ReadOrdinary(folder, baseFolder);
        if (adapter.Config.SharingObstacle is { } obstacle)
        {
            throw new ModelFormatException(ModelInspector.AdapterConfig, obstacle, "cannot be served beside other adapters: merge the adapter into its base and upload full weights");
        }

        return Describe(adapter, baseModel);
    }

    /// <summary>What a version of the adapter says about it.</summary>
    public static InspectedModel Describe(LoraAdapter adapter, ModelVersionRecord baseModel)
    {
        var config = adapter.Config;
        return new InspectedModel(
            ModelKind.LoraAdapter,
            adapter.Tensors.Sum(tensor => tensor.Value.numel()),
            baseModel.ContextTokens,
            baseModel.Architecture,
            new AdapterFacts(config.Rank, config.Alpha, config.TargetPattern is { } pattern ? [pattern] : config.TargetModules, config.UseRsLora));
    }

    // A PiSSA adapter fits a residual base that is nowhere: the folder gets the ordinary adapter that does the same over the whole base.
    private static LoraAdapter ReadOrdinary(string folder, string baseFolder)
    {
        var read = PeftAdapter.Read(folder, ModelFolder.ReadConfig(baseFolder));
        if (read.Config.Start != LoraStart.Pissa)
        {
            return read;
        }

        using var special = read;
        using var model = ModelFolder.Load(baseFolder);
        var ordinary = PissaConversion.ToOrdinary(model, special);
        PeftAdapter.Delete(folder);
        PeftAdapter.Write(folder, ordinary);
        return ordinary;
    }
}
