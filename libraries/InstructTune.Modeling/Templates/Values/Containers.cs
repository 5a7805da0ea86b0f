namespace InstructTune.Modeling.Templates;

/// <summary>A list of Python. Templates cannot change one.</summary>
internal sealed record PyList(IReadOnlyList<object?> Items)
{
    public static PyList Of(IEnumerable<object?> items) => new([.. items]);
}

/// <summary>A tuple of Python.</summary>
internal sealed record PyTuple(IReadOnlyList<object?> Items)
{
    public static PyTuple Of(params object?[] items) => new(items);
}

/// <summary>The numbers of `range`.</summary>
internal sealed record PyRange(long Start, long Stop, long Step)
{
    public long Count => Step > 0
        ? Math.Max(0, (long)((((Int128)Stop - Start) + Step - 1) / Step))
        : Math.Max(0, (long)((((Int128)Start - Stop) - Step - 1) / -Step));
}

/// <summary>Items that can be taken once.</summary>
internal sealed class PyGenerator(IEnumerable<object?> items, string typeName = "generator")
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public string TypeName => typeName;

    public IEnumerable<object?> Take()
    {
        while (_items.MoveNext())
        {
            yield return _items.Current;
        }
    }
}

internal enum DictPart
{
    Keys,
    Values,
    Items,
}

/// <summary>Keys, values or items of a mapping.</summary>
internal sealed record DictView(PyDict Owner, DictPart Part)
{
    public string TypeName => Part switch { DictPart.Keys => "dict_keys", DictPart.Values => "dict_values", _ => "dict_items" };

    public IEnumerable<object?> Items => Part switch
    {
        DictPart.Keys => Owner.Keys,
        DictPart.Values => Owner.Pairs.Select(pair => pair.Value),
        _ => Owner.Pairs.Select(pair => (object?)PyTuple.Of(pair.Key, pair.Value)),
    };
}

/// <summary>Text that is marked as safe: escaping leaves it alone.</summary>
internal sealed record Markup(string Text);
