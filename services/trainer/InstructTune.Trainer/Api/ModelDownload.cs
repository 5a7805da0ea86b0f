using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Publishing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>
/// One export: the files are written first and compared with the model, then listed with their digests and sent. The scratch folder goes with the call.
/// What a job has published already is sent as it is.
/// </summary>
internal sealed class ModelDownload(ModelRegistry registry, ModelExporter exporter, ExportIndex index, IArtifactStore artifacts)
{
    // Half of what a message may hold.
    private const int ChunkBytes = 512 * 1024;

    public async Task SendAsync(ExportModelVersionRequest request, IServerStreamWriter<ExportModelVersionResponse> stream, CancellationToken ct)
    {
        var order = Order(request);
        using var scratch = artifacts.CreateStaging();
        var (paths, published) = await FindAsync(order, ct) ?? await MakeAsync(order, scratch.Path, ct);
        var export = ExportMapping.ToProto(published);
        foreach (var path in paths)
        {
            export.Files.Add(await DescribeAsync(path, ct));
        }

        await stream.WriteAsync(new ExportModelVersionResponse { ModelExport = export }, ct);
        foreach (var path in paths)
        {
            await SendFileAsync(path, stream, ct);
        }
    }

    private async Task<(IReadOnlyList<string> Paths, PublishedExport Export)?> FindAsync(ExportOrder order, CancellationToken ct)
    {
        if (index.Find(order.ManifestSha256, order.Kind) is not { ManifestSha256.Length: > 0 } kept || !artifacts.Contains(kept.ManifestSha256))
        {
            return null;
        }

        var folder = await artifacts.OpenAsync(kept.ManifestSha256, ct);
        return ([.. folder.Manifest.Files.Select(file => Path.Combine(folder.Path, file.Path))], kept);
    }

    private async Task<(IReadOnlyList<string> Paths, PublishedExport Export)> MakeAsync(ExportOrder order, string scratch, CancellationToken ct)
    {
        try
        {
            FailPoint.Hit("export.before-write");
            var made = await exporter.WriteAsync(order, scratch, ct);
            var export = new PublishedExport(order.Kind, "", made.Paths.Sum(path => new FileInfo(path).Length), made.Parity, made.Merge);
            index.Record(order.ManifestSha256, export);
            return (made.Paths, export);
        }
        catch (ModelFormatException exception)
        {
            throw new DomainException(
                ErrorReason.ModelFilesInvalid, exception.Message, ("file", exception.File), ("item", exception.Item), ("problem", exception.Problem));
        }
        catch (ExportDisagreesException exception)
        {
            throw new DomainException(
                ErrorReason.ModelFilesInvalid, exception.Message, ("file", order.Kind.Id), ("item", ""), ("problem", "disagrees with the model"));
        }
        catch (IOException exception) when (StorageFullException.Is(exception))
        {
            throw StorageFullException.Of(scratch, exception);
        }
    }

    private ExportOrder Order(ExportModelVersionRequest request)
    {
        var parts = ResourceName.Parse("models/{model}/versions/{version}", request.Name, "name");
        var violations = new FieldViolations();
        ExportMapping.Check(request.ModelExport, violations, "model_export");
        violations.ThrowIfAny();
        var kind = ExportMapping.ToDomain(request.ModelExport);
        var version = registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(request.Name);
        if (version.Kind == ModelKind.FullWeights && kind.Format is ExportFormat.Peft or ExportFormat.GgufAdapter)
        {
            throw new DomainException(ErrorReason.WrongKind, $"{version.Name} is full weights; this format is for adapters.", ("resource", version.Name));
        }

        return new ExportOrder($"{version.Model}-{version.Version}", version.ManifestSha256, version.BaseModelVersion.Length == 0 ? null : BaseOf(version).ManifestSha256, kind);
    }

    private ModelVersionRecord BaseOf(ModelVersionRecord version)
    {
        var parts = ResourceName.Parse("models/{model}/versions/{version}", version.BaseModelVersion, "base_model_version");
        return registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(version.BaseModelVersion);
    }

    private static async Task<ModelExport.Types.File> DescribeAsync(string path, CancellationToken ct)
    {
        await using var content = File.OpenRead(path);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, ct));
        return new ModelExport.Types.File { Path = Path.GetFileName(path), SizeBytes = content.Length, Sha256 = sha256 };
    }

    private static async Task SendFileAsync(string path, IServerStreamWriter<ExportModelVersionResponse> stream, CancellationToken ct)
    {
        await using var content = File.OpenRead(path);
        var buffer = new byte[ChunkBytes];
        for (long offset = 0; ;)
        {
            var count = await content.ReadAtLeastAsync(buffer, ChunkBytes, throwOnEndOfStream: false, ct);
            if (count == 0)
            {
                return;
            }

            var chunk = new ExportModelVersionResponse.Types.Chunk { Path = Path.GetFileName(path), Offset = offset, Data = ByteString.CopyFrom(buffer, 0, count) };
            await stream.WriteAsync(new ExportModelVersionResponse { Chunk = chunk }, ct);
            offset += count;
        }
    }
}
