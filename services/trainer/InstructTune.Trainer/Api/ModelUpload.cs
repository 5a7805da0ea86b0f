using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>One upload: files into a staging folder, every check, then publication and a number. Before that nothing is visible, and a broken stream leaves nothing.</summary>
internal sealed class ModelUpload(ModelRegistry registry, IArtifactStore artifacts, AdapterInspector adapters, FormatChoice formats) : IDisposable
{
    private const int MaxChunkBytes = 1024 * 1024;

    // A model that is checked lies in memory as a whole: one at a time.
    private readonly SemaphoreSlim _inspection = new(1, 1);

    public void Dispose() => _inspection.Dispose();

    public async Task<ModelVersionRecord> ReceiveAsync(IAsyncStreamReader<UploadModelVersionRequest> stream, CancellationToken ct)
    {
        var target = ReadHeader(await stream.MoveNext(ct) ? stream.Current.Header : null);
        using var staging = artifacts.CreateStaging();
        await ReceiveFilesAsync(stream, staging, ct);
        try
        {
            var inspected = await InspectInTurnAsync(staging.Path, target, ct);
            var format = await formats.ChooseAsync(target.PromptFormat, staging.Path, target.Base, ct);
            var manifest = await artifacts.PublishAsync(staging, ct);
            return await registry.RegisterAsync(Describe(target, inspected, format, manifest), ct);
        }
        catch (ModelFormatException exception)
        {
            throw Refused(exception);
        }
    }

    private UploadTarget ReadHeader(UploadModelVersionRequest.Types.Header? header)
    {
        if (header is null)
        {
            throw FieldViolations.Single("header", "must be the first message of the stream");
        }

        var violations = new FieldViolations();
        violations.Check(
            header.PromptFormat.Length == 0 || PromptFormat.Exists(header.PromptFormat),
            "header.prompt_format", $"must be one of {string.Join(", ", PromptFormat.Names)}, or empty");
        var hasParent = ResourceName.TryParse("models/{model}", header.Parent, out var parent);
        violations.Check(hasParent, "header.parent", "must have the form 'models/{model}'");
        if (hasParent)
        {
            violations.CheckId(parent[0], "header.parent");
        }

        violations.ThrowIfAny();
        return new UploadTarget(parent[0], header.PromptFormat, header.BaseModelVersion.Length == 0 ? null : FindBase(header.BaseModelVersion));
    }

    private ModelVersionRecord FindBase(string name)
    {
        var parts = ResourceName.Parse("models/{model}/versions/{version}", name, "header.base_model_version");
        var found = registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(name);
        return found.Kind == ModelKind.FullWeights
            ? found
            : throw new DomainException(
                ErrorReason.WrongKind, $"{found.Name} is an adapter; an adapter belongs to full weights.", ("resource", found.Name));
    }

    private static async Task ReceiveFilesAsync(IAsyncStreamReader<UploadModelVersionRequest> stream, StagingFolder staging, CancellationToken ct)
    {
        await using var files = new UploadedFiles(staging);
        while (await stream.MoveNext(ct))
        {
            var chunk = stream.Current.Chunk ?? throw FieldViolations.Single("chunk", "must be in every message after the first");
            var problem = files.ProblemOf(chunk.FileName);
            new FieldViolations()
                .Check(problem is null, "chunk.file_name", problem ?? "")
                .Check(chunk.Data.Length <= MaxChunkBytes, "chunk.data", $"must have at most {MaxChunkBytes} bytes")
                .ThrowIfAny();
            try
            {
                await files.AppendAsync(chunk.FileName, chunk.Data.Memory, ct);
            }
            catch (ModelFormatException exception)
            {
                throw Refused(exception);
            }
        }

        new FieldViolations().Check(files.Count > 0, "chunk", "must come at least once: a version has files").ThrowIfAny();
    }

    private async Task<InspectedModel> InspectInTurnAsync(string folder, UploadTarget target, CancellationToken ct)
    {
        await _inspection.WaitAsync(ct);
        try
        {
            await Task.Run(() => UploadedGguf.Convert(folder), ct);
            return await InspectAsync(folder, target, ct);
        }
        catch (IOException exception) when (StorageFullException.Is(exception))
        {
            throw StorageFullException.Of(folder, exception);
        }
        finally
        {
            _inspection.Release();
        }
    }

    private async Task<InspectedModel> InspectAsync(string folder, UploadTarget target, CancellationToken ct)
    {
        if (ModelInspector.IsAdapter(folder))
        {
            return await adapters.InspectAsync(
                folder, target.Base ?? throw FieldViolations.Single("header.base_model_version", "must name the version that the adapter belongs to"), ct);
        }

        new FieldViolations()
            .Check(target.Base is null, "header.base_model_version", $"is for adapters only, and the files hold no {ModelInspector.AdapterConfig}")
            .ThrowIfAny();

        // Loading takes seconds to minutes of processor time: not on a thread that serves calls.
        return await Task.Run(() => ModelInspector.InspectFull(folder), ct);
    }

    private static NewModelVersion Describe(UploadTarget target, InspectedModel inspected, ChosenFormat format, Manifest manifest) => new()
    {
        Model = target.Model,
        Kind = inspected.Kind,
        BaseModelVersion = target.Base?.Name ?? "",
        ManifestSha256 = manifest.Sha256,
        ParameterCount = inspected.ParameterCount,
        ContextTokens = inspected.ContextTokens,
        PromptFormat = format.Name,
        PromptFormatSha256 = format.Sha256,
        Architecture = inspected.Architecture,
        SizeBytes = manifest.SizeBytes,
        Adapter = inspected.Adapter,
        Lineage = target.Base is { } from
            ? new Dictionary<string, string>(StringComparer.Ordinal) { ["base"] = $"{from.Name}@{from.ManifestSha256}" }
            : [],
    };

    private static DomainException Refused(ModelFormatException exception) => new(
        ErrorReason.ModelFilesInvalid, exception.Message, ("file", exception.File), ("item", exception.Item), ("problem", exception.Problem));

    private sealed record UploadTarget(string Model, string PromptFormat, ModelVersionRecord? Base);
}
