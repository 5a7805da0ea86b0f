using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>The methods of mappings that change nothing.</summary>
internal static class DictMethods
{
    public static PyFunction? Find(PyDict dict, string name) => name switch
    {
        "keys" => new((a, _) => View(a, dict, DictPart.Keys)),
        "values" => new((a, _) => View(a, dict, DictPart.Values)),
        "items" => new((a, _) => View(a, dict, DictPart.Items)),
        "copy" => new((_, run) => Copy(dict, run)),
        "get" => new((a, _) => Get(a.Bind("get", 1, "key", "default"), dict)),
        "fromkeys" => new((a, run) => FromKeys(a.Bind("fromkeys", 1, "iterable", "value"), run)),
        _ => null,
    };

    private static DictView View(CallArguments arguments, PyDict dict, DictPart part)
    {
        arguments.Bind("a view of a mapping", 0);
        return new(dict, part);
    }

    private static object? Get(BoundArguments bound, PyDict dict) => dict.TryGet(bound.At(0), out var value) ? value : bound.At(1);

    private static PyDict Copy(PyDict dict, Run run)
    {
        run.Meter.Items(dict.Count);
        return new(dict.Pairs);
    }

    private static PyDict FromKeys(BoundArguments bound, Run run) =>
        new(Sequences.Listed(bound.At(0), run.Meter).Select(key => KeyValuePair.Create(key, bound.At(1))));
}

/// <summary>The methods of lists and tuples that change nothing.</summary>
internal static class ListMethods
{
    public static PyFunction? Find(IReadOnlyList<object?> items, string name) => name switch
    {
        "count" => new((a, run) => Count(items, a.Bind("count", 1, "value").At(0), run)),
        "index" => new((a, run) => Index(items, a.Bind("index", 1, "value", "start", "stop"), run)),
        "copy" => new((_, _) => new PyList(items)),
        _ => null,
    };

    private static object Count(IReadOnlyList<object?> items, object? wanted, Run run)
    {
        run.Meter.Step(items.Count);
        return (BigInteger)items.Count(item => Equality.Of(item, wanted, run.Meter));
    }

    private static object Index(IReadOnlyList<object?> items, BoundArguments bound, Run run)
    {
        var range = SliceRange.Of(items.Count, bound.At(1), bound.At(2), null);
        for (var i = (int)range.Start; i < range.Stop; i++)
        {
            if (Equality.Of(items[i], bound.At(0), run.Meter))
            {
                return (BigInteger)i;
            }
        }

        throw TemplateException.Value($"{TextForm.Repr(bound.At(0), run.Meter)} is not in list");
    }
}

/// <summary>The few methods of numbers.</summary>
internal static class NumberMethods
{
    public static object? Find(object? number, string name) => (name, Numbers.Whole(number)) switch
    {
        ("bit_length", { } whole) => new PyFunction((_, _) => (BigInteger)BigInteger.Abs(whole).GetBitLength()),
        ("bit_count", { } whole) => new PyFunction((_, _) => BitCount(whole)),
        ("is_integer", { }) => new PyFunction((_, _) => true),
        ("is_integer", null) => new PyFunction((_, _) => double.IsInteger((double)number!)),
        ("real" or "numerator", { } whole) => whole,
        ("denominator", { }) => BigInteger.One,
        ("imag", { }) => BigInteger.Zero,
        ("real", null) => number,
        ("imag", null) => 0.0,
        ("conjugate", _) => new PyFunction((_, _) => number),
        _ => null,
    };

    private static object BitCount(BigInteger whole)
    {
        var count = 0;
        foreach (var part in BigInteger.Abs(whole).ToByteArray())
        {
            count += BitOperations.PopCount(part);
        }

        return (BigInteger)count;
    }
}

/// <summary>The methods of safe text: as those of text, and what comes out is safe again.</summary>
internal static class MarkupMethods
{
    public static PyFunction? Find(Markup markup, string name) => name switch
    {
        "striptags" => new((_, run) => Escaping.StripTags(markup.Text, run.Meter)),
        "unescape" => new((_, _) => Escaping.Unescape(markup.Text)),
        _ when TextMethods.Find(markup.Text, name) is { } method => new((arguments, run) => Safe(method.Call(arguments, run))),
        _ => null,
    };

    private static object? Safe(object? value) => value switch
    {
        string text => new Markup(text),
        PyList list => new PyList([.. list.Items.Select(Safe)]),
        PyTuple tuple => new PyTuple([.. tuple.Items.Select(Safe)]),
        _ => value,
    };
}
