namespace InstructTune.Modeling.Templates;

/// <summary>Going through values, counting, indexing and slicing them.</summary>
internal static class Sequences
{
    /// <summary>The items of anything that Python can iterate over; every item is a step.</summary>
    public static IEnumerable<object?> Items(object? value, Meter meter)
    {
        var items = value switch
        {
            Undefined undefined => undefined.Iterated(),
            string text => CodePoints.Split(text),
            Markup markup => CodePoints.Split(markup.Text),
            PyList list => list.Items,
            PyTuple tuple => tuple.Items,
            PyDict dict => dict.Keys,
            DictView view => view.Items,
            PyGenerator generator => generator.Take(),
            PyRange range => Numbered(range),
            LoopState loop => loop.Remaining(),
            _ => throw TemplateException.Type($"'{TypeNames.Of(value)}' object is not iterable"),
        };
        return Counted(items, meter);
    }

    public static bool IsIterable(object? value) =>
        value is Undefined or string or Markup or PyList or PyTuple or PyDict or DictView or PyGenerator or PyRange or LoopState;

    public static IReadOnlyList<object?> Listed(object? value, Meter meter)
    {
        var items = new List<object?>();
        foreach (var item in Items(value, meter))
        {
            items.Add(item);
        }

        meter.Items(items.Count);
        return items;
    }

    /// <summary>`len` of a value; null where it has none.</summary>
    public static long? Length(object? value) => value switch
    {
        Undefined => 0,
        string text => CodePoints.Count(text),
        Markup markup => CodePoints.Count(markup.Text),
        PyList list => list.Items.Count,
        PyTuple tuple => tuple.Items.Count,
        PyDict dict => dict.Count,
        DictView view => view.Owner.Count,
        PyRange range => range.Count,
        LoopState loop => loop.Count,
        _ => null,
    };

    /// <summary>Item number <paramref name="index"/>, counted from the end where it is negative; false where there is none.</summary>
    public static bool TryIndex(object? owner, object? index, out object? item)
    {
        item = null;
        var count = owner is string or PyList or PyTuple or PyRange or Markup ? Length(owner)!.Value : 0;
        if (Numbers.Whole(index) is not { } whole || count == 0)
        {
            return false;
        }

        var at = whole.Sign < 0 ? whole + count : whole;
        if (at.Sign < 0 || at >= count)
        {
            return false;
        }

        item = At(owner, (int)at);
        return true;
    }

    public static object? Sliced(object? owner, object? start, object? stop, object? step, Meter meter)
    {
        if (owner is not (string or Markup or PyList or PyTuple or PyRange))
        {
            throw TemplateException.Type($"'{TypeNames.Of(owner)}' object is not subscriptable");
        }

        var range = SliceRange.Of(Length(owner)!.Value, start, stop, step);
        meter.Items(range.Count);
        return owner switch
        {
            string text => SliceText(text, range, meter),
            Markup markup => new Markup(SliceText(markup.Text, range, meter)),
            PyRange numbers => new PyRange(
                numbers.Start + (range.Start * numbers.Step), numbers.Start + (range.Stop * numbers.Step), numbers.Step * range.Step),
            PyTuple tuple => new PyTuple([.. Indexes(range).Select(i => tuple.Items[i])]),
            _ => new PyList([.. Indexes(range).Select(i => ((PyList)owner).Items[i])]),
        };
    }

    private static object? At(object? owner, int at) => owner switch
    {
        string text => TextAt(text, at),
        Markup markup => new Markup(TextAt(markup.Text, at)),
        PyList list => list.Items[at],
        PyTuple tuple => tuple.Items[at],
        _ => (System.Numerics.BigInteger)(((PyRange)owner!).Start + (at * ((PyRange)owner).Step)),
    };

    private static string TextAt(string text, int at)
    {
        var offset = CodePoints.Offset(text, at);
        return text.Substring(offset, offset + 1 < text.Length && char.IsSurrogatePair(text[offset], text[offset + 1]) ? 2 : 1);
    }

    private static string SliceText(string text, PyRange range, Meter meter)
    {
        meter.Text(range.Count);
        meter.Step(text.Length / 1024);
        if (range.Step == 1)
        {
            var start = CodePoints.Offset(text, (int)range.Start);
            return text[start..(start + CodePoints.Offset(text[start..], (int)range.Count))];
        }

        if (CodePoints.AreUnits(text))
        {
            return string.Create((int)range.Count, (text, range), static (span, from) =>
            {
                for (var i = 0; i < span.Length; i++)
                {
                    span[i] = from.text[(int)(from.range.Start + (i * from.range.Step))];
                }
            });
        }

        var points = CodePoints.Split(text).ToArray();
        return string.Concat(Indexes(range).Select(i => points[i]));
    }

    private static IEnumerable<int> Indexes(PyRange range) => Numbered(range).Select(i => (int)(System.Numerics.BigInteger)i!);

    private static IEnumerable<object?> Numbered(PyRange range)
    {
        var count = range.Count;
        for (long i = 0; i < count; i++)
        {
            yield return (System.Numerics.BigInteger)(range.Start + (i * range.Step));
        }
    }

    private static IEnumerable<object?> Counted(IEnumerable<object?> items, Meter meter)
    {
        foreach (var item in items)
        {
            meter.Step();
            yield return item;
        }
    }
}
