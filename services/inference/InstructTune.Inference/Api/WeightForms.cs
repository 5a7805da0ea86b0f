using InstructTune.Hosting;
using InstructTune.Inference.Models;

namespace InstructTune.Inference.Api;

/// <summary>Forms of weights as messages say them.</summary>
internal static class WeightForms
{
    private const string Field = "weight_format";

    public static void Check(V1.WeightFormat format, FieldViolations violations) =>
        violations.Check(Enum.IsDefined(format), Field, "must be one of FLOAT32, BFLOAT16, INT8, INT4, GGUF");

    /// <summary>Null where nothing is asked for.</summary>
    /// <param name="format">What is asked for; checked before.</param>
    /// <param name="configured">The form of this process.</param>
    public static WeightForm? Read(V1.WeightFormat format, WeightForm configured) => format switch
    {
        V1.WeightFormat.Float32 => configured.AsFloat32(),
        V1.WeightFormat.Bfloat16 => configured.AsBFloat16(),
        V1.WeightFormat.Int8 => WeightForm.Int8,
        V1.WeightFormat.Int4 => WeightForm.Int4,
        V1.WeightFormat.Gguf => WeightForm.Gguf,
        _ => null,
    };

    public static V1.WeightFormat ToFormat(WeightForm form) =>
        form == WeightForm.BFloat16 || form == WeightForm.Graphics ? V1.WeightFormat.Bfloat16
        : form == WeightForm.Int8 ? V1.WeightFormat.Int8
        : form == WeightForm.Int4 ? V1.WeightFormat.Int4
        : form == WeightForm.Gguf ? V1.WeightFormat.Gguf
        : V1.WeightFormat.Float32;
}
