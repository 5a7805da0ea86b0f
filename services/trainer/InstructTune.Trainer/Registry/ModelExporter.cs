using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;

namespace InstructTune.Trainer.Registry;

internal enum ExportFormat
{
    Safetensors,
    Peft,
    Gguf,
    GgufAdapter,
}

/// <summary>A version to be written for other programs. The type is for GGUF only.</summary>
internal sealed record ExportOrder(ModelVersionRecord Version, ModelVersionRecord? Base, ExportFormat Format, GgufTensorType Type);

/// <summary>Writes versions in formats of other programs. What is exported as it is stored is not copied.</summary>
internal sealed class ModelExporter(IArtifactStore artifacts) : IDisposable
{
    // A model that is merged lies in memory as a whole: one at a time.
    private readonly SemaphoreSlim _merging = new(1, 1);

    public void Dispose() => _merging.Dispose();

    /// <summary>The paths of the export's files, below the scratch folder or in the store itself.</summary>
    /// <exception cref="ModelFormatException">The version has what the format cannot express.</exception>
    public async Task<IReadOnlyList<string>> WriteAsync(ExportOrder order, string scratch, CancellationToken ct)
    {
        var own = (await artifacts.OpenAsync(order.Version.ManifestSha256, ct)).Path;
        if (order.Base is null)
        {
            return order.Format == ExportFormat.Gguf ? await Task.Run(() => Gguf(order, own, scratch), ct) : FilesOf(own);
        }

        if (order.Format == ExportFormat.Peft)
        {
            return FilesOf(own);
        }

        var below = (await artifacts.OpenAsync(order.Base.ManifestSha256, ct)).Path;
        return order.Format == ExportFormat.GgufAdapter
            ? await Task.Run(() => Adapter(order, own, below, scratch), ct)
            : await MergedAsync(order, own, below, scratch, ct);
    }

    private async Task<IReadOnlyList<string>> MergedAsync(ExportOrder order, string own, string below, string scratch, CancellationToken ct)
    {
        await _merging.WaitAsync(ct);
        try
        {
            return await Task.Run(() => Merged(order, own, below, scratch), ct);
        }
        finally
        {
            _merging.Release();
        }
    }

    private static IReadOnlyList<string> Merged(ExportOrder order, string own, string below, string scratch)
    {
        var merged = Path.Combine(scratch, "merged");
        using (var model = ModelFolder.Load(below))
        using (var adapter = PeftAdapter.Read(own, model.Config))
        {
            LoraMerge.Into(model, adapter);
            HuggingFaceFolder.Write(merged, model, below);
        }

        return order.Format == ExportFormat.Gguf ? Gguf(order, merged, scratch) : FilesOf(merged);
    }

    private static IReadOnlyList<string> Gguf(ExportOrder order, string folder, string scratch)
    {
        var path = FileName(order, scratch);
        GgufExport.Write(path, folder, order.Type, order.Version.Model);
        return [path];
    }

    private static IReadOnlyList<string> Adapter(ExportOrder order, string own, string below, string scratch)
    {
        var path = FileName(order, scratch);
        var model = ModelFolder.ReadConfig(below);
        using var adapter = PeftAdapter.Read(own, model);
        GgufAdapter.Write(path, adapter, model, order.Type, order.Version.Model);
        return [path];
    }

    private static string FileName(ExportOrder order, string scratch) =>
        Path.Combine(scratch, $"{order.Version.Model}-{order.Version.Version}-{order.Type.ToString().ToLowerInvariant()}.gguf");

    private static IReadOnlyList<string> FilesOf(string folder) =>
        [.. Directory.EnumerateFiles(folder).Where(f => Path.GetFileName(f) != Manifest.FileName).Order(StringComparer.Ordinal)];
}
