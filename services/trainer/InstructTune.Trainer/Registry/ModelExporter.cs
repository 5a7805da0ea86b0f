using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Publishing;

namespace InstructTune.Trainer.Registry;

internal enum ExportFormat
{
    Safetensors,
    Peft,
    Gguf,
    GgufAdapter,
}

/// <summary>Trained files to be written for other programs.</summary>
/// <param name="Name">What the export is called.</param>
/// <param name="ManifestSha256">The files.</param>
/// <param name="BaseManifestSha256">Of the full weights under an adapter; null for full weights.</param>
/// <param name="Kind">What to write.</param>
internal sealed record ExportOrder(string Name, string ManifestSha256, string? BaseManifestSha256, ExportKind Kind);

/// <summary>An export before it goes anywhere: checked.</summary>
internal sealed record CheckedExport(IReadOnlyList<string> Paths, ParityFigures? Parity, ParityFigures? Merge);

/// <summary>
/// Writes trained files in formats of other programs, reads each export back and compares it with the model before anybody gets it. What is exported as it is
/// stored is not copied.
/// </summary>
internal sealed class ModelExporter(IArtifactStore artifacts) : IDisposable
{
    // Models lie in memory as a whole: one at a time.
    private readonly SemaphoreSlim _turns = new(1, 1);

    public void Dispose() => _turns.Dispose();

    /// <summary>The export's files, below the scratch folder or in the store itself.</summary>
    /// <exception cref="ModelFormatException">The model has what the format cannot express.</exception>
    /// <exception cref="ExportDisagreesException">Read back it is another model.</exception>
    public async Task<CheckedExport> WriteAsync(ExportOrder order, string scratch, CancellationToken ct)
    {
        var own = (await artifacts.OpenAsync(order.ManifestSha256, ct)).Path;
        var below = order.BaseManifestSha256 is { } sha256 ? (await artifacts.OpenAsync(sha256, ct)).Path : null;
        await _turns.WaitAsync(ct);
        try
        {
            return await Task.Run(() => Write(order, own, below, scratch), ct);
        }
        finally
        {
            _turns.Release();
        }
    }

    private static CheckedExport Write(ExportOrder order, string own, string? below, string scratch) => (order.Kind.Format, below) switch
    {
        (ExportFormat.Gguf, null) => Gguf(order, own, scratch, merge: null),
        (_, null) => AsStored(own),
        (ExportFormat.Peft, _) => Peft(own, below),
        (ExportFormat.GgufAdapter, _) => GgufAdapterOf(order, own, below, scratch),
        _ => Merged(order, own, below, scratch),
    };

    private static CheckedExport AsStored(string own)
    {
        var probe = ParityProbe.For(own);
        return new(FilesOf(own), ExportParity.OfFolder(own, probe, LogitsOf(own, probe), ParityBound.Exact), null);
    }

    private static CheckedExport Peft(string own, string below)
    {
        var probe = ParityProbe.For(below);
        using var model = ModelFolder.Load(below);
        using var adapter = PeftAdapter.Read(own, model.Config);
        return new(FilesOf(own), ExportParity.OfAdapter(own, below, probe, probe.Logits(model, adapter)), null);
    }

    private static CheckedExport Merged(ExportOrder order, string own, string below, string scratch)
    {
        var folder = Path.Combine(scratch, "merged");
        var probe = ParityProbe.For(below);
        IReadOnlyList<float[]> merged;
        ParityFigures merge;
        using (var model = ModelFolder.Load(below))
        using (var adapter = PeftAdapter.Read(own, model.Config))
        {
            var trained = probe.Logits(model, adapter);
            LoraMerge.Into(model, adapter);
            merged = probe.Logits(model);
            merge = ParityFigures.Of(trained, merged);
            ParityBound.Merge.Require(merge, $"{order.Name}, merged,");
            HuggingFaceFolder.Write(folder, model, below);
        }

        CopyCard(own, folder);
        return order.Kind.Format == ExportFormat.Gguf
            ? Gguf(order, folder, scratch, merge)
            : new(FilesOf(folder), ExportParity.OfFolder(folder, probe, merged, ParityBound.Exact), merge);
    }

    private static CheckedExport Gguf(ExportOrder order, string folder, string scratch, ParityFigures? merge)
    {
        var path = FileName(order, scratch);
        GgufExport.Write(path, folder, order.Kind.Type, order.Name);
        var probe = ParityProbe.For(folder);
        return new([path], ExportParity.OfGguf(path, scratch, probe, LogitsOf(folder, probe), ParityBound.Of(order.Kind.Type)), merge);
    }

    private static CheckedExport GgufAdapterOf(ExportOrder order, string own, string below, string scratch)
    {
        var path = FileName(order, scratch);
        var probe = ParityProbe.For(below);
        using var model = ModelFolder.Load(below);
        using var adapter = PeftAdapter.Read(own, model.Config);
        GgufAdapter.Write(path, adapter, model.Config, order.Kind.Type, order.Name);
        return new([path], ExportParity.OfGgufAdapter(path, model, probe, probe.Logits(model, adapter), ParityBound.OfAdapter(order.Kind.Type)), null);
    }

    private static IReadOnlyList<float[]> LogitsOf(string folder, ParityProbe probe)
    {
        using var model = ModelFolder.Load(folder);
        return probe.Logits(model);
    }

    private static void CopyCard(string from, string to)
    {
        if (File.Exists(Path.Combine(from, ModelCard.FileName)))
        {
            File.Copy(Path.Combine(from, ModelCard.FileName), Path.Combine(to, ModelCard.FileName));
        }
    }

    private static string FileName(ExportOrder order, string scratch) =>
        Path.Combine(scratch, $"{order.Name}-{order.Kind.Type.ToString().ToLowerInvariant()}.gguf");

    // A GGUF file kept from an import holds the same weights once more.
    private static IReadOnlyList<string> FilesOf(string folder) =>
        [.. Directory.EnumerateFiles(folder).Where(f => Path.GetFileName(f) is not (Manifest.FileName or KernelModelFolder.StoredName)).Order(StringComparer.Ordinal)];
}
