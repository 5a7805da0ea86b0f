using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Filters over lists, mappings and everything with items.</summary>
internal static class SequenceFilters
{
    public static IEnumerable<KeyValuePair<string, FilterFunction>> All { get; } =
    [
        Alone("length", Length),
        Alone("count", Length),
        Alone("list", (value, run) => new PyList(Sequences.Listed(value, run.Meter))),
        Alone("first", (value, run) => EndOf(Sequences.Items(value, run.Meter), "first")),
        Alone("last", (value, run) => EndOf(Reversed(value, run), "last")),
        Alone("reverse", (value, run) => value is string or Markup
            ? FilterTable.Like(value, CodePoints.Reverse(run.Print(value)))
            : new PyGenerator(Reversed(value, run), value is PyList ? "list_reverseiterator" : "reversed")),
        new("join", Join),
        Alone("items", (value, _) => new PyGenerator(Pairs(value))),
        new("dictsort", DictSort),
        new("sort", Sort),
        new("unique", (value, a, run) => new PyGenerator(Unique(value, a.Bind("unique", 0, "case_sensitive", "attribute"), run))),
        new("min", (value, a, run) => Extreme(value, a.Bind("min", 0, "case_sensitive", "attribute"), run, smallest: true)),
        new("max", (value, a, run) => Extreme(value, a.Bind("max", 0, "case_sensitive", "attribute"), run, smallest: false)),
        new("groupby", GroupBy),
        new("batch", (value, a, run) => new PyGenerator(Batches(value, a.Bind("batch", 1, "linecount", "fill_with"), run))),
        new("slice", (value, a, run) => new PyGenerator(Slices(value, a.Bind("slice", 1, "slices", "fill_with"), run))),
        new("attr", (value, a, run) => Attribute(value, a.Bind("attr", 1, "name"), run)),
        new("default", Default),
        new("d", Default),
    ];

    // A filter that takes nothing but its input.
    private static KeyValuePair<string, FilterFunction> Alone(string name, Func<object?, Run, object?> filter) => new(name, (value, arguments, run) =>
    {
        arguments.Bind(name, 0);
        return filter(value, run);
    });

    private static object? Length(object? value, Run run) => Sequences.Length(value) is { } length
        ? (BigInteger)length
        : throw TemplateException.Type($"object of type '{TypeNames.Of(value)}' has no len()");

    private static object? EndOf(IEnumerable<object?> items, string which)
    {
        foreach (var item in items)
        {
            return item;
        }

        return new Undefined($"No {which} item, sequence was empty.");
    }

    private static IEnumerable<object?> Reversed(object? value, Run run) => value is PyGenerator
        ? throw TemplateException.Type($"'{TypeNames.Of(value)}' object is not reversible")
        : Sequences.Listed(value, run.Meter).Reverse();

    private static object? Join(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("join", 0, "d", "attribute");
        var separator = bound.Has(0) ? run.Print(bound.At(0)) : "";
        var path = bound.At(1) is { } attribute ? AttributePath.Of(attribute) : null;
        var text = new StringBuilder();
        var first = true;
        foreach (var item in Sequences.Items(value, run.Meter))
        {
            var part = run.Print(path is null ? item : path.Get(item, run));
            text.Append(first ? "" : separator).Append(part);
            run.Meter.Text(first ? part.Length : (long)part.Length + separator.Length);
            first = false;
            if (text.Length > run.Meter.Limits.TextCharacters)
            {
                run.Meter.Text(text.Length);
            }
        }

        return text.ToString();
    }

    private static IEnumerable<object?> Pairs(object? value)
    {
        if (value is Undefined undefined)
        {
            foreach (var item in undefined.Iterated())
            {
                yield return item;
            }

            yield break;
        }

        var dict = value as PyDict ?? throw TemplateException.Type("Can only get item pairs from a mapping.");
        foreach (var (key, item) in dict.Pairs)
        {
            yield return PyTuple.Of(key, item);
        }
    }

    private static object? DictSort(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("dictsort", 0, "case_sensitive", "by", "reverse");
        var index = bound.Text(1, "key") switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw TemplateException.Value("You can only sort by either \"key\" or \"value\""),
        };
        var dict = value as PyDict ?? throw TemplateException.Type($"'{TypeNames.Of(value)}' object has no items");
        return new PyList(Ordered(
            [.. dict.Pairs.Select(pair => (object?)PyTuple.Of(pair.Key, pair.Value))],
            pair => AttributePath.Folded(((PyTuple)pair!).Items[index], bound.Flag(0)),
            bound.Flag(2),
            run));
    }

    private static object? Sort(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("sort", 0, "reverse", "case_sensitive", "attribute");
        var paths = bound.At(2) switch
        {
            null => [],
            string several => several.Split(',').Select(path => AttributePath.Of(path)).ToArray(),
            var one => [AttributePath.Of(one)],
        };
        return new PyList(Ordered(
            Sequences.Listed(value, run.Meter),
            item => paths.Length == 0
                ? AttributePath.Folded(item, bound.Flag(1))
                : new PyList([.. paths.Select(path => AttributePath.Folded(path.Get(item, run), bound.Flag(1)))]),
            bound.Flag(0),
            run));
    }

    // Stable, also in reverse, as Python's sort.
    private static object?[] Ordered(IReadOnlyList<object?> items, Func<object?, object?> key, bool reverse, Run run)
    {
        var keyed = items.Select(item => (Item: item, Key: key(item)));
        return [.. StableSort.Of(keyed, (a, b) => reverse
            ? Ordering.Compare(b.Key, a.Key, "<", run.Meter)
            : Ordering.Compare(a.Key, b.Key, "<", run.Meter)).Select(pair => pair.Item)];
    }

    private static IEnumerable<object?> Unique(object? value, BoundArguments bound, Run run)
    {
        var path = bound.At(1) is { } attribute ? AttributePath.Of(attribute) : null;
        var seen = new PyDict();
        foreach (var item in Sequences.Items(value, run.Meter))
        {
            var key = AttributePath.Folded(path is null ? item : path.Get(item, run), bound.Flag(0));
            if (!seen.Contains(key))
            {
                seen.Set(key, null);
                yield return item;
            }
        }
    }

    private static object? Extreme(object? value, BoundArguments bound, Run run, bool smallest)
    {
        var path = bound.At(1) is { } attribute ? AttributePath.Of(attribute) : null;
        object? Key(object? item) => AttributePath.Folded(path is null ? item : path.Get(item, run), bound.Flag(0));
        var items = Sequences.Listed(value, run.Meter);
        if (items.Count == 0)
        {
            return new Undefined("No aggregated item, sequence was empty.");
        }

        return items.Aggregate((best, item) => Ordering.Compare(Key(item), Key(best), smallest ? "<" : ">", run.Meter) is var order
            && (smallest ? order < 0 : order > 0) ? item : best);
    }

    private static object? GroupBy(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("groupby", 1, "attribute", "default", "case_sensitive");
        var path = AttributePath.Of(bound.At(0), bound.At(1));
        object? Key(object? item) => AttributePath.Folded(path.Get(item, run), bound.Flag(2));
        var groups = new List<(object? Key, List<object?> Items)>();
        foreach (var item in Ordered(Sequences.Listed(value, run.Meter), Key, reverse: false, run))
        {
            if (groups.Count == 0 || !Equality.Of(groups[^1].Key, Key(item), run.Meter))
            {
                groups.Add((Key(item), []));
            }

            groups[^1].Items.Add(item);
        }

        return new PyList([.. groups.Select(group =>
            (object?)PyTuple.Of(bound.Flag(2) ? group.Key : path.Get(group.Items[0], run), new PyList(group.Items)))]);
    }

    private static IEnumerable<object?> Batches(object? value, BoundArguments bound, Run run)
    {
        var (size, fill) = (bound.Number(0), bound.At(1));
        var batch = new List<object?>();
        foreach (var item in Sequences.Items(value, run.Meter))
        {
            if (batch.Count == size)
            {
                yield return new PyList(batch);
                batch = [];
            }

            batch.Add(item);
        }

        if (batch.Count == 0)
        {
            yield break;
        }

        var missing = fill is null ? 0 : Math.Max(0, size - batch.Count);
        run.Meter.Items(missing);
        batch.AddRange(Enumerable.Repeat(fill, (int)missing));
        yield return new PyList(batch);
    }

    private static IEnumerable<object?> Slices(object? value, BoundArguments bound, Run run)
    {
        var items = Sequences.Listed(value, run.Meter);
        var count = bound.Number(0);
        if (count == 0)
        {
            throw new TemplateException(TemplateFault.ZeroDivision, "integer division or modulo by zero");
        }

        var (each, larger) = (Math.Max(0, items.Count / count), items.Count % count);
        for (long i = 0, at = 0; i < count; i++)
        {
            run.Meter.Step();
            var length = each + (i < larger ? 1 : 0);
            List<object?> slice = [.. items.Skip((int)at).Take((int)length)];
            if (bound.At(1) is { } fill && i >= larger)
            {
                slice.Add(fill);
            }

            yield return new PyList(slice);
            at += length;
        }
    }

    private static object? Attribute(object? value, BoundArguments bound, Run run)
    {
        var name = run.Print(bound.At(0));
        if (value is Undefined undefined && !name.StartsWith("__", StringComparison.Ordinal))
        {
            throw undefined.Used();
        }

        return Members.OwnMember(value, name, run, out var member) ? member : Undefined.Member(value, name, run.Meter);
    }

    private static object? Default(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("default", 0, "default_value", "boolean");
        return value is Undefined || (bound.Flag(1) && !Truth.Of(value)) ? bound.At(0, "") : value;
    }
}
