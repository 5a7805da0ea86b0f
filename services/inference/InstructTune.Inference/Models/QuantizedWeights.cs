using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;
using InstructTune.Storage;

namespace InstructTune.Inference.Models;

/// <summary>
/// Weights in int8 or int4 codes, made at the first load of a content and kept as an artifact, with the certificate of how near they come to
/// float32. What could not be compared is served and not kept: the next load tries again.
/// </summary>
internal sealed partial class QuantizedWeights(IArtifactStore artifacts, IDocumentStore documents, ParityMeter meter, ILogger<QuantizedWeights> logger)
{
    public const string WeightsName = "model.gguf";

    public const string ParityName = "parity.json";

    public async Task<(KernelLlama Model, ParityCertificate? Parity)> LoadAsync(BaseFiles files, Tokenizer tokenizer) =>
        await FindAsync(files) is { } kept ? LoadKept(kept, files) : await MakeAsync(files, tokenizer);

    private static (KernelLlama Model, ParityCertificate? Parity) LoadKept(ArtifactFolder kept, BaseFiles files)
    {
        var parity = ParityCertificate.Parse(File.ReadAllBytes(Path.Combine(kept.Path, ParityName)));
        return (KernelModelFolder.LoadQuantized(Path.Combine(kept.Path, WeightsName), files.Folder.Path, files.Form.Kernel!.Value), parity);
    }

    private async Task<ArtifactFolder?> FindAsync(BaseFiles files)
    {
        if (documents.Find<KeptWeights>(Collection(files.Form), files.Sha256) is not { } document)
        {
            return null;
        }
        try
        {
            return await artifacts.OpenAsync(document.Content.ArtifactSha256, CancellationToken.None);
        }
        catch (Exception exception) when (exception is ArtifactMissingException or ArtifactCorruptException)
        {
            // It can be made again from the version, whose own files are verified.
            MadeAgain(exception, files.Sha256, files.Form.Name);
            artifacts.Delete(document.Content.ArtifactSha256);
            return null;
        }
    }

    private async Task<(KernelLlama Model, ParityCertificate? Parity)> MakeAsync(BaseFiles files, Tokenizer tokenizer)
    {
        var (folder, format) = (files.Folder.Path, files.Form.Kernel!.Value);
        try
        {
            using var staging = artifacts.CreateStaging();
            var path = Path.Combine(staging.Path, WeightsName);
            KernelModelFolder.WriteQuantized(path, folder, format);
            return await MeasureAsync(files, KernelModelFolder.LoadQuantized(path, folder, format), tokenizer, parity => KeepAsync(files, staging, parity));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            NotKept(exception, files.Sha256, files.Form.Name);
            return await MeasureAsync(files, KernelModelFolder.Load(folder, format), tokenizer, static _ => Task.CompletedTask);
        }
    }

    private async Task<(KernelLlama Model, ParityCertificate? Parity)> MeasureAsync(
        BaseFiles files, KernelLlama model, Tokenizer tokenizer, Func<ParityCertificate, Task> keepAsync)
    {
        try
        {
            var parity = meter.Measure(files, model, tokenizer);
            if (parity is not null)
            {
                await keepAsync(parity);
            }
            return (model, parity);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private async Task KeepAsync(BaseFiles files, StagingFolder staging, ParityCertificate parity)
    {
        await File.WriteAllBytesAsync(Path.Combine(staging.Path, ParityName), parity.ToJson());
        var manifest = await artifacts.PublishAsync(staging, CancellationToken.None);
        documents.Put(Collection(files.Form), files.Sha256, new KeptWeights(manifest.Sha256));
        Kept(files.Sha256, files.Form.Name, manifest.Sha256, manifest.SizeBytes);
    }

    private static string Collection(WeightForm form) => $"quantized/{form.Name}";

    private sealed record KeptWeights(string ArtifactSha256);

    [LoggerMessage(6030, LogLevel.Information, "{Sha256} as {Format} is kept as {ArtifactSha256}: {SizeBytes} bytes.")]
    private partial void Kept(string sha256, string format, string artifactSha256, long sizeBytes);

    [LoggerMessage(6031, LogLevel.Warning, "{Sha256} as {Format} is kept no more, and made again.")]
    private partial void MadeAgain(Exception exception, string sha256, string format);

    [LoggerMessage(6032, LogLevel.Warning, "{Sha256} as {Format} could not be kept; it is served from memory, and made again at the next load.")]
    private partial void NotKept(Exception exception, string sha256, string format);
}
