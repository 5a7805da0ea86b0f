using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>Whole numbers without bound, floats, and booleans that count as 0 and 1.</summary>
internal static class Numbers
{
    public static bool IsNumber(object? value) => value is BigInteger or double or bool;

    public static bool IsNan(object? value) => value is double real && double.IsNaN(real);

    /// <summary>A whole number or boolean as number; null for everything else.</summary>
    public static BigInteger? Whole(object? value) => value switch
    {
        BigInteger number => number,
        bool flag => flag ? BigInteger.One : BigInteger.Zero,
        _ => null,
    };

    public static double Real(object? value) => value switch
    {
        double real => real,
        _ when Whole(value) is { } whole => ToDouble(whole),
        _ => throw TemplateException.Type($"must be real number, not {TypeNames.Of(value)}"),
    };

    public static double ToDouble(BigInteger whole)
    {
        var real = (double)whole;
        return double.IsInfinity(real) ? throw TemplateException.Value("int too large to convert to float") : real;
    }

    public static int Compare(object? left, object? right)
    {
        if (Whole(left) is { } a && Whole(right) is { } b)
        {
            return a.CompareTo(b);
        }

        return (left, right) switch
        {
            (double x, double y) => double.IsNaN(x) || double.IsNaN(y) ? -1 : x.CompareTo(y),
            (double x, _) => -CompareExactly(Whole(right)!.Value, x),
            _ => CompareExactly(Whole(left)!.Value, (double)right!),
        };
    }

    /// <summary>A number as index or count; anything far beyond any list stays far beyond.</summary>
    public static long ToIndex(object? value) => Whole(value) is { } whole
        ? (long)BigInteger.Max(BigInteger.Min(whole, int.MaxValue), int.MinValue)
        : throw (value is Undefined undefined
            ? undefined.Used()
            : TemplateException.Type($"'{TypeNames.Of(value)}' object cannot be interpreted as an integer"));

    private static int CompareExactly(BigInteger whole, double real)
    {
        if (double.IsNaN(real))
        {
            return 1;
        }

        if (double.IsInfinity(real))
        {
            return real > 0 ? -1 : 1;
        }

        var floor = Math.Floor(real);
        var order = whole.CompareTo(new BigInteger(floor));
        return order == 0 && floor < real ? -1 : order;
    }
}
