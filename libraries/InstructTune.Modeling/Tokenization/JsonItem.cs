using System.Text.Json;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>An element of a JSON file that knows its file and path, so that every refusal can name both.</summary>
internal readonly record struct JsonItem(string File, string Path, JsonElement Element)
{
    public bool IsNull => Element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    public string Type => Required("type").Text();

    public JsonItem Required(string key)
    {
        var item = Optional(key);
        return item.Element.ValueKind == JsonValueKind.Undefined ? throw item.Refuse("is missing") : item;
    }

    public JsonItem Optional(string key)
    {
        var path = Path.Length == 0 ? key : $"{Path}.{key}";
        if (Element.ValueKind != JsonValueKind.Object)
        {
            throw Refuse("must be an object");
        }

        try
        {
            return Element.TryGetProperty(key, out var value) ? new(File, path, value) : new(File, path, default);
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    public IEnumerable<JsonItem> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array)
        {
            throw Refuse("must be a list");
        }

        var (file, path) = (File, Path);
        return Element.EnumerateArray().Select((e, i) => new JsonItem(file, $"{path}[{i}]", e));
    }

    public string Text()
    {
        try
        {
            return Element.ValueKind == JsonValueKind.String ? Element.GetString()! : throw Refuse("must be a string");
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    /// <summary>Keys and values of an object.</summary>
    public IEnumerable<(string Key, JsonItem Value)> Properties()
    {
        if (Element.ValueKind != JsonValueKind.Object)
        {
            throw Refuse("must be an object");
        }

        foreach (var property in Element.EnumerateObject())
        {
            yield return (NameOf(property), new(File, Path, property.Value));
        }
    }

    public int Integer() =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var value) ? value : throw Refuse("must be an integer");

    public bool Flag(string key, bool fallback = false)
    {
        var item = Optional(key);
        return item.Element.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Null or JsonValueKind.Undefined => fallback,
            _ => throw item.Refuse("must be true or false"),
        };
    }

    public ModelFormatException Refuse(string problem) => new(File, Path.Length == 0 ? "the document" : Path, problem);

    public ModelFormatException Unsupported(string what) => Refuse($"{what} is not supported");

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    // Half a surrogate pair passes the JSON reader and fails only when it is read as text.
    private ModelFormatException NotUnicode() => Refuse("holds text that is not valid Unicode");
}
