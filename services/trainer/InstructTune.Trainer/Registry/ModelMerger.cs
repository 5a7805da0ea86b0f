using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Trainer.Registry;

/// <summary>One ingredient of a merge.</summary>
internal sealed record MergeComponent(ModelVersionRecord Version, double Weight);

/// <summary>What a merge makes: full weights, or with a rule an adapter.</summary>
internal sealed record MergeOrder(string Model, ModelVersionRecord Base, IReadOnlyList<MergeComponent> Components, AdapterCombination? Rule);

/// <summary>Versions of one base into one version. Models lie in memory as a whole: one merge at a time.</summary>
internal sealed class ModelMerger(ModelRegistry registry, IArtifactStore artifacts) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    public void Dispose() => _turn.Dispose();

    /// <exception cref="ModelFormatException">The components cannot be merged so.</exception>
    public async Task<ModelVersionRecord> MergeAsync(MergeOrder order, CancellationToken ct)
    {
        var baseFolder = (await artifacts.OpenAsync(order.Base.ManifestSha256, ct)).Path;
        var folders = new List<string>();
        foreach (var component in order.Components)
        {
            folders.Add((await artifacts.OpenAsync(component.Version.ManifestSha256, ct)).Path);
        }

        using var staging = artifacts.CreateStaging();
        await _turn.WaitAsync(ct);
        InspectedModel inspected;
        try
        {
            // Minutes of processor time: not on a thread that serves calls, and every tensor on one thread.
            inspected = await Task.Run(() => order.Rule is { } rule ? Combine(order, rule, baseFolder, folders, staging.Path) : Sum(order, baseFolder, folders, staging.Path), ct);
        }
        finally
        {
            _turn.Release();
        }

        var manifest = await artifacts.PublishAsync(staging, ct);
        return await registry.RegisterAsync(Describe(order, inspected, manifest), ct);
    }

    private static InspectedModel Sum(MergeOrder order, string baseFolder, List<string> folders, string target)
    {
        using var sum = ModelFolder.Load(baseFolder);
        if (order.Components is [{ Weight: 1, Version.Kind: ModelKind.LoraAdapter }])
        {
            using var adapter = PeftAdapter.Read(folders[0], sum.Config);
            LoraMerge.Into(sum, adapter);
        }
        else
        {
            using var from = ModelFolder.Load(baseFolder);
            foreach (var (component, folder) in order.Components.Zip(folders))
            {
                using var whole = Whole(component, baseFolder, folder);
                ModelSum.Add(sum, from, whole, component.Weight);
            }
        }

        HuggingFaceFolder.Write(target, sum, baseFolder);
        return new InspectedModel(ModelKind.FullWeights, sum.ParameterCount, sum.Config.ContextTokens, order.Base.Architecture, Adapter: null);
    }

    private static LlamaModel Whole(MergeComponent component, string baseFolder, string folder)
    {
        if (component.Version.Kind == ModelKind.FullWeights)
        {
            return ModelFolder.Load(folder);
        }

        var model = ModelFolder.Load(baseFolder);
        try
        {
            using var adapter = PeftAdapter.Read(folder, model.Config);
            LoraMerge.Into(model, adapter);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static InspectedModel Combine(MergeOrder order, AdapterCombination rule, string baseFolder, List<string> folders, string target)
    {
        var config = ModelFolder.ReadConfig(baseFolder);
        var adapters = new List<(LoraAdapter Adapter, double Weight)>();
        try
        {
            foreach (var (component, folder) in order.Components.Zip(folders))
            {
                adapters.Add((PeftAdapter.Read(folder, config), component.Weight));
            }

            using var combined = rule.Combine(adapters);
            PeftAdapter.Write(target, combined);
            return AdapterInspector.Describe(combined, order.Base);
        }
        finally
        {
            adapters.ForEach(a => a.Adapter.Dispose());
        }
    }

    private static NewModelVersion Describe(MergeOrder order, InspectedModel inspected, Manifest manifest)
    {
        var lineage = new Dictionary<string, string>(StringComparer.Ordinal) { ["base"] = $"{order.Base.Name}@{order.Base.ManifestSha256}" };
        foreach (var (i, component) in order.Components.Index())
        {
            lineage.Add(FormattableString.Invariant($"component.{i + 1}"), FormattableString.Invariant($"{component.Weight} x {component.Version.Name}@{component.Version.ManifestSha256}"));
        }

        // What was trained with a format is served with it.
        var format = order.Components[0].Version;
        return new NewModelVersion
        {
            Model = order.Model,
            Kind = inspected.Kind,
            BaseModelVersion = inspected.Kind == ModelKind.LoraAdapter ? order.Base.Name : "",
            ManifestSha256 = manifest.Sha256,
            ParameterCount = inspected.ParameterCount,
            ContextTokens = inspected.ContextTokens,
            PromptFormat = format.PromptFormat,
            PromptFormatSha256 = format.PromptFormatSha256,
            Architecture = inspected.Architecture,
            SizeBytes = manifest.SizeBytes,
            Adapter = inspected.Adapter,
            Lineage = lineage,
        };
    }
}
