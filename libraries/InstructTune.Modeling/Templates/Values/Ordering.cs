namespace InstructTune.Modeling.Templates;

/// <summary>Python's order: numbers, texts by code points, lists and tuples item by item. Everything else has none.</summary>
internal static class Ordering
{
    /// <summary>Whether `left operator right`; numbers that are not a number are in no order at all.</summary>
    public static bool Holds(object? left, string comparison, object? right, Meter meter)
    {
        if (Numbers.IsNan(left) || Numbers.IsNan(right))
        {
            return false;
        }

        var order = Compare(left, right, comparison, meter);
        return comparison switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    public static int Compare(object? left, object? right, string comparison, Meter meter)
    {
        meter.EnterValue();
        var order = (left, right) switch
        {
            (Undefined undefined, _) => throw undefined.Used(),
            (_, Undefined undefined) => throw undefined.Used(),
            (string a, string b) => CodePoints.Compare(a, b),
            (PyList a, PyList b) => Items(a.Items, b.Items, comparison, meter),
            (PyTuple a, PyTuple b) => Items(a.Items, b.Items, comparison, meter),
            _ when Numbers.IsNumber(left) && Numbers.IsNumber(right) => Numbers.Compare(left, right),
            (Markup a, Markup b) => CodePoints.Compare(a.Text, b.Text),
            (Markup a, string b) => CodePoints.Compare(a.Text, b),
            (string a, Markup b) => CodePoints.Compare(a, b.Text),
            _ => throw TemplateException.Type(
                $"'{comparison}' not supported between instances of '{TypeNames.Of(left)}' and '{TypeNames.Of(right)}'"),
        };
        meter.LeaveValue();
        return order;
    }

    private static int Items(IReadOnlyList<object?> left, IReadOnlyList<object?> right, string comparison, Meter meter)
    {
        for (var i = 0; i < left.Count && i < right.Count; i++)
        {
            if (!Equality.Of(left[i], right[i], meter))
            {
                return Compare(left[i], right[i], comparison, meter);
            }
        }

        return left.Count.CompareTo(right.Count);
    }
}
