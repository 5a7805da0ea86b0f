using InstructTune.Hosting;
using InstructTune.Modeling.Gguf;
using InstructTune.Trainer.Publishing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Format = InstructTune.V1.ModelExport.Types.Format;
using Type = InstructTune.V1.ModelExport.Types.ElementType;

namespace InstructTune.Trainer.Api;

/// <summary>Exports between the API and the domain.</summary>
internal static class ExportMapping
{
    public static void Check(ModelExport? export, FieldViolations violations, string field)
    {
        var (format, type) = (export?.Format ?? Format.Unspecified, export?.ElementType ?? Type.Unspecified);
        var isGguf = format is Format.Gguf or Format.GgufAdapter;
        violations
            .Check(format is > Format.Unspecified and <= Format.GgufAdapter, field + ".format", "must name a format")
            .Check(isGguf ? TypeOf(type) is not null : type == Type.Unspecified, field + ".element_type", isGguf
                ? "must be FLOAT32, FLOAT16 or Q8_0"
                : "must be left out: folders are exported as they are stored")
            .Check(format != Format.GgufAdapter || type != Type.Q80, field + ".element_type", "must be FLOAT32 or FLOAT16 for an adapter");
    }

    /// <summary>Of a valid export.</summary>
    public static ExportKind ToDomain(ModelExport export) => new(
        export.Format switch
        {
            Format.Safetensors => ExportFormat.Safetensors,
            Format.Peft => ExportFormat.Peft,
            Format.Gguf => ExportFormat.Gguf,
            _ => ExportFormat.GgufAdapter,
        },
        TypeOf(export.ElementType) ?? GgufTensorType.F32);

    public static ModelExport ToProto(ExportKind kind) => new()
    {
        Format = kind.Format switch
        {
            ExportFormat.Safetensors => Format.Safetensors,
            ExportFormat.Peft => Format.Peft,
            ExportFormat.Gguf => Format.Gguf,
            _ => Format.GgufAdapter,
        },
        ElementType = kind.Format is ExportFormat.Safetensors or ExportFormat.Peft ? Type.Unspecified : kind.Type switch
        {
            GgufTensorType.F32 => Type.Float32,
            GgufTensorType.F16 => Type.Float16,
            _ => Type.Q80,
        },
    };

    public static ModelExport ToProto(PublishedExport export)
    {
        var message = ToProto(export.Kind);
        message.ManifestSha256 = export.ManifestSha256;
        message.SizeBytes = export.SizeBytes;
        message.Parity = ToProto(export.Parity);
        message.MergeParity = ToProto(export.Merge);
        return message;
    }

    public static ParityReport? ToProto(ParityFigures? figures) => figures is null ? null : new ParityReport
    {
        TokenCount = figures.TokenCount,
        MaxLogitDifference = figures.MaxLogitDifference,
        TokenAgreement = figures.TokenAgreement,
        RelativeError = figures.RelativeError,
        MeanDivergence = figures.MeanDivergence,
    };

    private static GgufTensorType? TypeOf(Type type) => type switch
    {
        Type.Float32 => GgufTensorType.F32,
        Type.Float16 => GgufTensorType.F16,
        Type.Q80 => GgufTensorType.Q8_0,
        _ => null,
    };
}
