using System.Text.Json;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Llama;

/// <summary>One JSON object of a configuration file, read key by key with errors that name file and key.</summary>
internal readonly struct JsonSection
{
    private readonly string _file;
    private readonly string _path;
    private readonly JsonElement _element;

    public JsonSection(string file, string path, JsonElement element)
    {
        _file = file;
        _path = path;
        _element = element;
    }

    public IEnumerable<string> Keys => _element.EnumerateObject().Select(p => p.Name);

    /// <summary>The value, or null where the key is absent or null.</summary>
    public JsonElement? Find(string key) =>
        _element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public JsonSection? Section(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => new JsonSection(_file, Path(key), value),
        _ => throw Fault(key, "must be an object"),
    };

    public int Count(string key, int? otherwise = null)
    {
        var value = Integer(key) ?? otherwise ?? throw Fault(key, "is missing");
        return value is > 0 and <= int.MaxValue ? (int)value : throw Fault(key, $"is {value}; it must be at least 1");
    }

    public long? Integer(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out var number) => number,
        var value => throw Fault(key, $"is {value.Value.GetRawText()}; it must be a whole number"),
    };

    public double? Number(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when double.IsFinite(value.GetDouble()) => value.GetDouble(),
        var value => throw Fault(key, $"is {value.Value.GetRawText()}; it must be a number"),
    };

    public double Positive(string key, double? otherwise = null)
    {
        var value = Number(key) ?? otherwise ?? throw Fault(key, "is missing");
        return value > 0 ? value : throw Fault(key, $"is {value}; it must be above 0");
    }

    public bool Flag(string key, bool otherwise = false) => Find(key) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        var value => throw Fault(key, $"is {value.Value.GetRawText()}; it must be true or false"),
    };

    public string? Text(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        var value => throw Fault(key, $"is {value.Value.GetRawText()}; it must be a string"),
    };

    public IReadOnlyList<string>? Texts(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } value when value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String) =>
            [.. value.EnumerateArray().Select(v => v.GetString()!)],
        _ => throw Fault(key, "must be a list of strings"),
    };

    public IReadOnlyList<int> Integers(string key) => Find(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) => [number],
        { ValueKind: JsonValueKind.Array } value when value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out _)) =>
            [.. value.EnumerateArray().Select(v => v.GetInt32())],
        var value => throw Fault(key, $"is {value.Value.GetRawText()}; it must be a whole number or a list of them"),
    };

    public ModelFormatException Fault(string key, string problem) => new(_file, Path(key), problem);

    private string Path(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    /// <summary>Parses a file's bytes into an object.</summary>
    public static JsonSection Parse(string file, ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 32 });
            using var document = JsonDocument.ParseValue(ref reader);
            if (reader.Read())
            {
                throw new ModelFormatException(file, "", "holds more than one JSON value");
            }

            RefuseBrokenText(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonSection(file, "", document.RootElement.Clone())
                : throw new ModelFormatException(file, "", "must be a JSON object");
        }
        catch (JsonException e)
        {
            throw new ModelFormatException(file, "", $"is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new ModelFormatException(file, "", "holds text that is not valid Unicode", e);
        }
    }

    // Half a surrogate pair passes the reader and fails only when it is read as text: then every getter could throw.
    private static void RefuseBrokenText(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    RefuseBrokenText(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    RefuseBrokenText(property.Value);
                }

                break;
        }
    }
}
