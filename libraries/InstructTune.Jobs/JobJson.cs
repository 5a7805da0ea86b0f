using System.Text.Json;
using System.Text.Json.Serialization;

namespace InstructTune.Jobs;

/// <summary>The JSON of events and faults. A loss may be NaN, and that is worth keeping.</summary>
internal static class JobJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };
}
