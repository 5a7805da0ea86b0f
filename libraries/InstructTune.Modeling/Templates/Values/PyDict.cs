namespace InstructTune.Modeling.Templates;

/// <summary>A mapping in the order of insertion, with Python's equality of keys: 1, 1.0 and True are one key.</summary>
internal sealed class PyDict
{
    private readonly OrderedDictionary<DictKey, object?> _pairs = [];

    public PyDict()
    {
    }

    public PyDict(IEnumerable<KeyValuePair<object?, object?>> pairs)
    {
        foreach (var (key, value) in pairs)
        {
            Set(key, value);
        }
    }

    public int Count => _pairs.Count;

    public IEnumerable<object?> Keys => _pairs.Keys.Select(key => key.Value);

    public IEnumerable<KeyValuePair<object?, object?>> Pairs => _pairs.Select(pair => new KeyValuePair<object?, object?>(pair.Key.Value, pair.Value));

    public void Set(object? key, object? value) => _pairs[DictKey.Of(key)] = value;

    public bool TryGet(object? key, out object? value) => _pairs.TryGetValue(DictKey.Of(key), out value);

    public bool Contains(object? key) => _pairs.ContainsKey(DictKey.Of(key));
}

/// <summary>A key as Python hashes it.</summary>
internal readonly struct DictKey : IEquatable<DictKey>
{
    private readonly object _form;

    private DictKey(object? value, object form) => (Value, _form) = (value, form);

    public object? Value { get; }

    /// <exception cref="TemplateException">Lists and mappings are no keys.</exception>
    public static DictKey Of(object? value) => new(value, Form(value));

    public bool Equals(DictKey other) => _form.Equals(other._form);

    public override bool Equals(object? obj) => obj is DictKey other && Equals(other);

    public override int GetHashCode() => _form.GetHashCode();

    private static object Form(object? value) => value switch
    {
        null => typeof(void),
        string or System.Numerics.BigInteger => value,
        Markup markup => markup.Text,
        bool flag => flag ? System.Numerics.BigInteger.One : System.Numerics.BigInteger.Zero,
        double real => double.IsFinite(real) && Math.Floor(real) == real ? new System.Numerics.BigInteger(real) : real,
        PyTuple tuple => new TupleForm([.. tuple.Items.Select(Form)]),
        PyList or PyDict or PyNamespace => throw TemplateException.Type($"unhashable type: '{TypeNames.Of(value)}'"),
        Undefined => typeof(Undefined),
        _ => value,
    };

    private sealed class TupleForm(object[] parts)
    {
        public override bool Equals(object? obj) => obj is TupleForm other && parts.AsSpan().SequenceEqual(other.Parts);

        public override int GetHashCode() => parts.Aggregate(parts.Length, HashCode.Combine);

        private object[] Parts => parts;
    }
}
