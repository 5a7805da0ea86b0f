using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>The keys and values of a GGUF file, read with errors that name the key.</summary>
internal sealed class GgufMetadata(string file)
{
    private readonly Dictionary<string, GgufValue> _values = new(StringComparer.Ordinal);
    private readonly List<string> _keys = [];

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<string> Keys => _keys;

    public string File => file;

    public void Add(string key, GgufValue value)
    {
        if (!_values.TryAdd(key, value))
        {
            throw Fault(key, "is given twice");
        }

        _keys.Add(key);
    }

    public bool Has(string key) => _values.ContainsKey(key);

    public GgufValue? Find(string key) => _values.GetValueOrDefault(key);

    public string? Text(string key) => Find(key) switch
    {
        null => null,
        { Type: GgufValueType.String, IsArray: false } value => value.Texts[0],
        _ => throw Fault(key, "must be a string"),
    };

    public string RequiredText(string key) => Text(key) ?? throw Fault(key, "is missing");

    public string[]? Texts(string key) => Find(key) switch
    {
        null => null,
        { Type: GgufValueType.String, IsArray: true } value => value.Texts,
        _ => throw Fault(key, "must be an array of strings"),
    };

    public bool? Flag(string key) => Find(key) switch
    {
        null => null,
        { Type: GgufValueType.Bool, IsArray: false } value => value.Numbers[0] != 0,
        _ => throw Fault(key, "must be true or false"),
    };

    public double? Real(string key) => Find(key) switch
    {
        null => null,
        { IsArray: false } value when value.Real(0) is { } number && double.IsFinite(number) => number,
        _ => throw Fault(key, "must be a number"),
    };

    public int? Integer(string key, int least, int most)
    {
        switch (Find(key))
        {
            case null:
                return null;
            case { IsArray: false } value when value.Integer(0) is { } number:
                return InRange(key, number, least, most);
            default:
                throw Fault(key, "must be a whole number");
        }
    }

    /// <summary>A count, at least 1, given once or for each layer with one value.</summary>
    public int? Count(string key, int most)
    {
        if (Find(key) is not { IsArray: true } list)
        {
            return Integer(key, 1, most);
        }

        if (list.Type == GgufValueType.String || list.Count == 0 || list.Integer(0) is not { } first)
        {
            throw Fault(key, "must be a whole number");
        }

        for (var i = 1; i < list.Count; i++)
        {
            if (list.Integer(i) != first)
            {
                throw Fault(key, "differs between layers, which is not supported");
            }
        }

        return InRange(key, first, 1, most);
    }

    public ModelFormatException Fault(string key, string problem) => new(file, key, problem);

    private int InRange(string key, long number, int least, int most) =>
        number >= least && number <= most ? (int)number : throw Fault(key, $"is {number}; it must be from {least} to {most}");
}
