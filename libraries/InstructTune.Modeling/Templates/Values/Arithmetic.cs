namespace InstructTune.Modeling.Templates;

/// <summary>Python's arithmetic, and what its operators do to texts and lists.</summary>
internal static class Arithmetic
{
    public static object? Of(object? left, string operation, object? right, Run run)
    {
        if (left is Undefined undefinedLeft)
        {
            throw undefinedLeft.Used();
        }

        if (operation == "%" && left is string or Markup)
        {
            return left is Markup marked
                ? new Markup(PercentFormat.Apply(marked.Text, right, run))
                : PercentFormat.Apply((string)left!, right, run);
        }

        if (right is Undefined undefinedRight)
        {
            throw undefinedRight.Used();
        }

        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
        {
            return Numbers.Whole(left) is { } a && Numbers.Whole(right) is { } b
                ? WholeArithmetic.Of(a, operation, b, run.Meter)
                : RealArithmetic.Of(Numbers.Real(left), operation, Numbers.Real(right));
        }

        return operation switch
        {
            "+" => Sum(left, right, run.Meter),
            "*" when Numbers.Whole(right) is not null => Repeat(left, right, run.Meter) ?? throw Unsupported(left, operation, right),
            "*" when Numbers.Whole(left) is not null => Repeat(right, left, run.Meter) ?? throw Unsupported(left, operation, right),
            _ => throw Unsupported(left, operation, right),
        };
    }

    public static object? Negate(object? value) => value switch
    {
        Undefined undefined => throw undefined.Used(),
        double real => -real,
        _ when Numbers.Whole(value) is { } whole => -whole,
        _ => throw TemplateException.Type($"bad operand type for unary -: '{TypeNames.Of(value)}'"),
    };

    public static object? Plus(object? value) => value switch
    {
        Undefined undefined => throw undefined.Used(),
        double real => real,
        _ when Numbers.Whole(value) is { } whole => whole,
        _ => throw TemplateException.Type($"bad operand type for unary +: '{TypeNames.Of(value)}'"),
    };

    private static object Sum(object? left, object? right, Meter meter)
    {
        switch (left, right)
        {
            case (string a, string b):
                meter.Text((long)a.Length + b.Length);
                return a + b;
            case (Markup a, string or Markup):
                return new Markup(a.Text + Escaping.Html(right, meter));
            case (string, Markup b):
                return new Markup(Escaping.Html(left, meter) + b.Text);
            case (PyList a, PyList b):
                meter.Items((long)a.Items.Count + b.Items.Count);
                return new PyList([.. a.Items, .. b.Items]);
            case (PyTuple a, PyTuple b):
                meter.Items((long)a.Items.Count + b.Items.Count);
                return new PyTuple([.. a.Items, .. b.Items]);
            case (string or PyList or PyTuple, _):
                var kind = TypeNames.Of(left);
                throw TemplateException.Type($"can only concatenate {kind} (not \"{TypeNames.Of(right)}\") to {kind}");
            default:
                throw Unsupported(left, "+", right);
        }
    }

    private static object? Repeat(object? value, object? times, Meter meter)
    {
        var count = Math.Max(0, Numbers.ToIndex(times));
        switch (value)
        {
            case string text:
                meter.Text(text.Length * count);
                return string.Concat(Enumerable.Repeat(text, text.Length == 0 ? 0 : (int)count));
            case Markup markup:
                meter.Text(markup.Text.Length * count);
                return new Markup(string.Concat(Enumerable.Repeat(markup.Text, markup.Text.Length == 0 ? 0 : (int)count)));
            case PyList list:
                return new PyList(Repeat(list.Items, count, meter));
            case PyTuple tuple:
                return new PyTuple(Repeat(tuple.Items, count, meter));
            default:
                return null;
        }
    }

    private static List<object?> Repeat(IReadOnlyList<object?> items, long count, Meter meter)
    {
        meter.Items(items.Count * count);
        return items.Count == 0 ? [] : [.. Enumerable.Repeat(items, (int)count).SelectMany(i => i)];
    }

    private static TemplateException Unsupported(object? left, string operation, object? right) => TemplateException.Type(
        $"unsupported operand type(s) for {operation}: '{TypeNames.Of(left)}' and '{TypeNames.Of(right)}'");
}
