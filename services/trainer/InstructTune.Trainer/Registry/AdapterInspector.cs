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
        using var adapter = PeftAdapter.Read(folder, ModelFolder.ReadConfig(baseFolder));
        var config = adapter.Config;
        if (config.SharingObstacle is { } obstacle)
        {
            throw new ModelFormatException(ModelInspector.AdapterConfig, obstacle, "cannot be served beside other adapters: merge the adapter into its base and upload full weights");
        }

        return new InspectedModel(
            ModelKind.LoraAdapter,
            adapter.Tensors.Sum(tensor => tensor.Value.numel()),
            baseModel.ContextTokens,
            baseModel.Architecture,
            new AdapterFacts(config.Rank, config.Alpha, config.TargetPattern is { } pattern ? [pattern] : config.TargetModules, config.UseRsLora));
    }
}
