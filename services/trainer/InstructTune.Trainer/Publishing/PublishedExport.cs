using InstructTune.Modeling.Gguf;
using InstructTune.Storage;
using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.Publishing;

/// <summary>A format, and for GGUF the type of its weights.</summary>
internal sealed record ExportKind(ExportFormat Format, GgufTensorType Type)
{
    public string Id => Format is ExportFormat.Gguf or ExportFormat.GgufAdapter
        ? $"{Format.ToString().ToLowerInvariant()}-{Type.ToString().ToLowerInvariant().Replace('_', '-')}"
        : Format.ToString().ToLowerInvariant();
}

/// <summary>An export that was checked.</summary>
/// <param name="Kind">Its format.</param>
/// <param name="ManifestSha256">Its files in the artifact store; empty where they were sent and not kept.</param>
/// <param name="SizeBytes">Of all files.</param>
/// <param name="Parity">How it differs from the model, read back; null for adapters in GGUF, which are not read back.</param>
/// <param name="Merge">Where an adapter was merged: how that differs from the adapter on its base.</param>
internal sealed record PublishedExport(ExportKind Kind, string ManifestSha256, long SizeBytes, ParityFigures? Parity, ParityFigures? Merge);

/// <summary>The exports of trained files, by the digest of these: known before the version has a number, and shared by versions with the same files.</summary>
internal sealed class ExportIndex(IDocumentStore documents)
{
    public IReadOnlyList<PublishedExport> Of(string manifestSha256) =>
        manifestSha256.Length == 0 ? [] : [.. documents.List<PublishedExport>(Collection(manifestSha256), 100, "").Items.Select(item => item.Content).OrderBy(export => export.Kind.Id, StringComparer.Ordinal)];

    public PublishedExport? Find(string manifestSha256, ExportKind kind) => documents.Find<PublishedExport>(Collection(manifestSha256), kind.Id)?.Content;

    /// <summary>What is kept stays kept: figures of an export that was only sent do not take its place.</summary>
    public void Record(string manifestSha256, PublishedExport export)
    {
        if (export.ManifestSha256.Length > 0 || Find(manifestSha256, export.Kind) is not { ManifestSha256.Length: > 0 })
        {
            documents.Put(Collection(manifestSha256), export.Kind.Id, export);
        }
    }

    private static string Collection(string manifestSha256) => $"exports/{manifestSha256}/formats";
}
