using System.Text.Json;
using System.Text.Json.Serialization;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Reports;

/// <summary>The completed spec as people read it.</summary>
internal static class SpecText
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static string Of(FineTuneSpec spec) => JsonSerializer.Serialize(spec, Json);
}
