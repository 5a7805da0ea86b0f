using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.Publishing;

/// <summary>The exports that a job asks for, after it is trained. One that does not agree is said and left out: the trained files are right without it.</summary>
internal sealed class JobExports(IArtifactStore artifacts, ModelExporter exporter, ExportIndex index)
{
    public async Task MakeAsync(JobLog log, FineTuneOrder order, string manifestSha256, JobProgress progress, CancellationToken ct)
    {
        var isAdapter = order.Spec.LoraOf(order.Spec.Stages[^1]) is not null;
        var under = isAdapter ? progress.Foundation?.ManifestSha256 ?? order.BaseManifestSha256 : null;
        foreach (var kind in order.Exports)
        {
            ct.ThrowIfCancellationRequested();
            log.StillWaiting();
            if (index.Find(manifestSha256, kind) is { ManifestSha256.Length: > 0 } kept && artifacts.Contains(kept.ManifestSha256))
            {
                continue;
            }

            try
            {
                var export = await PublishAsync(new ExportOrder(order.OutputModel, manifestSha256, under, kind), ct);
                index.Record(manifestSha256, export);
                log.Notice("EXPORT_PUBLISHED", $"The export {kind.Id} agrees with the model: {Say(export)}.", progress, ("format", kind.Id), ("manifest_sha256", export.ManifestSha256));
            }
            catch (Exception exception) when (exception is ExportDisagreesException or ModelFormatException)
            {
                log.Notice("EXPORT_REFUSED", exception.Message, progress, ("format", kind.Id));
            }
        }
    }

    private async Task<PublishedExport> PublishAsync(ExportOrder order, CancellationToken ct)
    {
        using var scratch = artifacts.CreateStaging();
        var export = await exporter.WriteAsync(order, scratch.Path, ct);
        if (export.Paths.All(path => !path.StartsWith(scratch.Path, StringComparison.Ordinal)))
        {
            // As it is stored.
            return new PublishedExport(order.Kind, order.ManifestSha256, export.Paths.Sum(path => new FileInfo(path).Length), export.Parity, export.Merge);
        }

        using var target = artifacts.CreateStaging();
        foreach (var path in export.Paths)
        {
            File.Move(path, Path.Combine(target.Path, Path.GetFileName(path)));
        }

        var manifest = await artifacts.PublishAsync(target, ct);
        return new PublishedExport(order.Kind, manifest.Sha256, manifest.SizeBytes, export.Parity, export.Merge);
    }

    private static string Say(PublishedExport export) => export.Parity is not { } parity
        ? "it is not read back"
        : FormattableString.Invariant($"largest difference of a logit {parity.MaxLogitDifference:0.0e+0} over {parity.TokenCount} tokens, the same most likely token in {100 * parity.TokenAgreement:0.#} %");
}
