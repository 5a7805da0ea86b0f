namespace InstructTune.Modeling.Templates;

/// <summary>Python's `==`.</summary>
internal static class Equality
{
    public static bool Of(object? left, object? right, Meter meter)
    {
        meter.EnterValue();
        var result = (left, right) switch
        {
            (null, null) => true,
            (Undefined, Undefined) => true,
            (PyList a, PyList b) => Items(a.Items, b.Items, meter),
            (PyTuple a, PyTuple b) => Items(a.Items, b.Items, meter),
            (PyDict a, PyDict b) => Dicts(a, b, meter),
            (PyRange a, PyRange b) => a.Count == b.Count && (a.Count == 0 || (a.Start == b.Start && (a.Count == 1 || a.Step == b.Step))),
            (DictView a, DictView b) when a.Part == b.Part && a.Part != DictPart.Values => Sets(a, b, meter),
            _ when Text(left) is { } a && Text(right) is { } b => Same(a, b, meter),
            _ when Numbers.IsNumber(left) && Numbers.IsNumber(right) => Numbers.Compare(left, right) == 0,
            _ => ReferenceEquals(left, right),
        };
        meter.LeaveValue();
        return result;
    }

    public static bool Contains(IEnumerable<object?> items, object? wanted, Meter meter)
    {
        foreach (var item in items)
        {
            meter.Step();
            if (ReferenceEquals(item, wanted) || Of(item, wanted, meter))
            {
                return true;
            }
        }

        return false;
    }

    private static string? Text(object? value) => value as string ?? (value as Markup)?.Text;

    private static bool Same(string left, string right, Meter meter)
    {
        meter.Step(Math.Min(left.Length, right.Length) / 4096);
        return left == right;
    }

    private static bool Items(IReadOnlyList<object?> left, IReadOnlyList<object?> right, Meter meter) =>
        left.Count == right.Count && left.Zip(right).All(pair => Of(pair.First, pair.Second, meter));

    private static bool Dicts(PyDict left, PyDict right, Meter meter) =>
        left.Count == right.Count && left.Pairs.All(pair => right.TryGet(pair.Key, out var other) && Of(pair.Value, other, meter));

    private static bool Sets(DictView left, DictView right, Meter meter) =>
        left.Owner.Count == right.Owner.Count && left.Items.All(item => Contains(right.Items, item, meter));
}
