using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>`pprint`: mappings sorted by key; what does not fit in 80 columns gets a line for each item.</summary>
internal static class PrettyForm
{
    private const int Width = 80;

    public static string Of(object? value, Run run)
    {
        var text = new StringBuilder();
        Write(value, 0, 0, text, run);
        run.Meter.Text(text.Length);
        return text.ToString();
    }

    private static void Write(object? value, int indent, int allowance, StringBuilder text, Run run)
    {
        run.Meter.EnterValue();
        var flat = TextForm.Repr(Sorted(value, run), run.Meter);
        if (flat.Length <= Width - indent - allowance || value is not (PyDict or PyList or PyTuple))
        {
            text.Append(flat);
        }
        else if (value is PyDict dict)
        {
            Block('{', Ordered(dict, run).Select(pair => (TextForm.Repr(pair.Key, run.Meter) + ": ", pair.Value)).ToArray(), "}", indent, allowance, text, run);
        }
        else
        {
            var items = value is PyList list ? list.Items : ((PyTuple)value).Items;
            Block(value is PyList ? '[' : '(', [.. items.Select(item => ("", item))], value is PyList ? "]" : items.Count == 1 ? ",)" : ")", indent, allowance, text, run);
        }

        run.Meter.LeaveValue();
    }

    private static void Block(char open, (string Lead, object? Value)[] items, string close, int indent, int allowance, StringBuilder text, Run run)
    {
        text.Append(open);
        for (var i = 0; i < items.Length; i++)
        {
            text.Append(i == 0 ? "" : ",\n" + new string(' ', indent + 1)).Append(items[i].Lead);
            Write(items[i].Value, indent + 1 + items[i].Lead.Length, i == items.Length - 1 ? allowance + 1 : 1, text, run);
        }

        text.Append(close);
    }

    private static object? Sorted(object? value, Run run)
    {
        run.Meter.EnterValue();
        var sorted = value switch
        {
            PyDict dict => new PyDict(Ordered(dict, run).Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value, run)))),
            PyList list => new PyList([.. list.Items.Select(item => Sorted(item, run))]),
            PyTuple tuple => new PyTuple([.. tuple.Items.Select(item => Sorted(item, run))]),
            _ => value,
        };
        run.Meter.LeaveValue();
        return sorted;
    }

    private static KeyValuePair<object?, object?>[] Ordered(PyDict dict, Run run) => StableSort.Of(dict.Pairs, (a, b) => SafeOrder(a.Key, b.Key, run));

    // Keys that have no order among them are ordered by the names of their types.
    private static int SafeOrder(object? left, object? right, Run run) => left is string == right is string && (left is string || (Numbers.IsNumber(left) && Numbers.IsNumber(right)))
        ? Ordering.Compare(left, right, "<", run.Meter)
        : string.CompareOrdinal(TypeNames.Of(left), TypeNames.Of(right));
}
