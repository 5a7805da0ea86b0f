using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace InstructTune.Modeling.Templates;

/// <summary>JSON as values of templates.</summary>
internal static class TemplateValues
{
    public static object? Of(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => new PyDict(json.EnumerateObject().Select(p => KeyValuePair.Create((object?)p.Name, Of(p.Value)))),
        JsonValueKind.Array => new PyList([.. json.EnumerateArray().Select(Of)]),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => Number(json.GetRawText()),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static object Number(string text) => text.AsSpan().IndexOfAny('.', 'e', 'E') < 0
        ? BigInteger.Parse(text, CultureInfo.InvariantCulture)
        : double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}
