using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>One export: the files are written first, then listed with their digests and sent. The scratch folder goes with the call.</summary>
internal sealed class ModelDownload(ModelRegistry registry, ModelExporter exporter, IArtifactStore artifacts)
{
    // Half of what a message may hold.
    private const int ChunkBytes = 512 * 1024;

    public async Task SendAsync(ExportModelVersionRequest request, IServerStreamWriter<ExportModelVersionResponse> stream, CancellationToken ct)
    {
        var order = Order(request);
        using var scratch = artifacts.CreateStaging();
        IReadOnlyList<string> paths;
        try
        {
            paths = await exporter.WriteAsync(order, scratch.Path, ct);
        }
        catch (ModelFormatException exception)
        {
            throw new DomainException(
                ErrorReason.ModelFilesInvalid, exception.Message, ("file", exception.File), ("item", exception.Item), ("problem", exception.Problem));
        }
        catch (IOException exception) when (StorageFullException.Is(exception))
        {
            throw StorageFullException.Of(scratch.Path, exception);
        }

        var export = new ModelExport { Format = request.ModelExport.Format, ElementType = request.ModelExport.ElementType };
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

    private ExportOrder Order(ExportModelVersionRequest request)
    {
        var parts = ResourceName.Parse("models/{model}/versions/{version}", request.Name, "name");
        var format = request.ModelExport?.Format ?? ModelExport.Types.Format.Unspecified;
        var type = request.ModelExport?.ElementType ?? ModelExport.Types.ElementType.Unspecified;
        var isGguf = format is ModelExport.Types.Format.Gguf or ModelExport.Types.Format.GgufAdapter;
        new FieldViolations()
            .Check(format is > ModelExport.Types.Format.Unspecified and <= ModelExport.Types.Format.GgufAdapter, "model_export.format", "must name a format")
            .Check(isGguf ? TypeOf(type) is not null : type == ModelExport.Types.ElementType.Unspecified, "model_export.element_type", isGguf
                ? "must be FLOAT32, FLOAT16 or Q8_0"
                : "must be left out: folders are exported as they are stored")
            .Check(
                format != ModelExport.Types.Format.GgufAdapter || type != ModelExport.Types.ElementType.Q80, "model_export.element_type", "must be FLOAT32 or FLOAT16 for an adapter")
            .ThrowIfAny();
        var version = registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(request.Name);
        if (version.Kind == ModelKind.FullWeights && format is ModelExport.Types.Format.Peft or ModelExport.Types.Format.GgufAdapter)
        {
            throw new DomainException(ErrorReason.WrongKind, $"{version.Name} is full weights; this format is for adapters.", ("resource", version.Name));
        }

        return new ExportOrder(version, version.BaseModelVersion.Length == 0 ? null : BaseOf(version), FormatOf(format), TypeOf(type) ?? GgufTensorType.F32);
    }

    private ModelVersionRecord BaseOf(ModelVersionRecord version)
    {
        var parts = ResourceName.Parse("models/{model}/versions/{version}", version.BaseModelVersion, "base_model_version");
        return registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(version.BaseModelVersion);
    }

    private static ExportFormat FormatOf(ModelExport.Types.Format format) => format switch
    {
        ModelExport.Types.Format.Safetensors => ExportFormat.Safetensors,
        ModelExport.Types.Format.Peft => ExportFormat.Peft,
        ModelExport.Types.Format.Gguf => ExportFormat.Gguf,
        _ => ExportFormat.GgufAdapter,
    };

    private static GgufTensorType? TypeOf(ModelExport.Types.ElementType type) => type switch
    {
        ModelExport.Types.ElementType.Float32 => GgufTensorType.F32,
        ModelExport.Types.ElementType.Float16 => GgufTensorType.F16,
        ModelExport.Types.ElementType.Q80 => GgufTensorType.Q8_0,
        _ => null,
    };

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
