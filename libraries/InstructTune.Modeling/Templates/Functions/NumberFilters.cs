using System.Globalization;
using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>Filters that make or change numbers.</summary>
internal static class NumberFilters
{
    private const int MaxDigits = 4300;

    public static IEnumerable<KeyValuePair<string, FilterFunction>> All { get; } =
    [
        new("abs", (value, _, _) => Absolute(value)),
        new("int", Whole),
        new("float", (value, a, run) => Real(value, a.Bind("float", 0, "default"))),
        new("round", Round),
        new("sum", Sum),
        new("filesizeformat", FileSize),
    ];

    private static object? Absolute(object? value) => value switch
    {
        Undefined undefined => throw undefined.Used(),
        double real => Math.Abs(real),
        _ when Numbers.Whole(value) is { } whole => BigInteger.Abs(whole),
        _ => throw TemplateException.Type($"bad operand type for abs(): '{TypeNames.Of(value)}'"),
    };

    private static object? Whole(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("int", 0, "default", "base");
        var otherwise = bound.At(0, BigInteger.Zero);
        return value switch
        {
            Undefined undefined => throw undefined.Used(),
            double real => double.IsFinite(real) ? new BigInteger(Math.Truncate(real)) : otherwise,
            _ when Numbers.Whole(value) is { } whole => whole,
            string or Markup => Parsed(run.Print(value), (int)bound.Number(1, 10)) ?? otherwise,
            _ => otherwise,
        };
    }

    private static object? Parsed(string text, int radix)
    {
        text = WhiteSpace.Trim(text);
        if (WholeOf(text, radix) is { } whole)
        {
            return whole;
        }

        return RealOf(text) is { } real && double.IsFinite(real) ? new BigInteger(Math.Truncate(real)) : null;
    }

    private static BigInteger? WholeOf(string text, int radix)
    {
        var negative = text.StartsWith('-');
        var digits = text.Length > 0 && text[0] is '+' or '-' ? text[1..] : text;
        if (digits.Length > 1 && digits[0] == '0' && char.ToLowerInvariant(digits[1]) is var mark && mark == radix switch { 16 => 'x', 8 => 'o', 2 => 'b', _ => '\0' })
        {
            digits = digits[2..].TrimStart('_');
        }

        if (digits.Length is 0 or > MaxDigits || digits.StartsWith('_') || digits.EndsWith('_') || digits.Contains("__", StringComparison.Ordinal))
        {
            return null;
        }

        var value = BigInteger.Zero;
        foreach (var digit in digits.Where(c => c != '_'))
        {
            var weight = char.IsAsciiLetter(digit) ? char.ToLowerInvariant(digit) - 'a' + 10 : CharUnicodeInfo.GetDecimalDigitValue(digit);
            if (weight < 0 || weight >= radix)
            {
                return null;
            }

            value = (value * radix) + weight;
        }

        return negative ? -value : value;
    }

    private static object? Real(object? value, BoundArguments bound) => value switch
    {
        Undefined undefined => throw undefined.Used(),
        _ when Numbers.IsNumber(value) => Numbers.Real(value),
        string text when RealOf(WhiteSpace.Trim(text)) is { } real => real,
        _ => bound.At(0, 0.0),
    };

    private static double? RealOf(string text)
    {
        var unsigned = text.TrimStart('+', '-').ToLowerInvariant();
        if (unsigned is "inf" or "infinity" or "nan" && text.Length - unsigned.Length < 2)
        {
            return unsigned == "nan" ? double.NaN : text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        }

        var isPlain = text.Length > 0 && text.All(c => char.IsAsciiDigit(c) || c is '.' or 'e' or 'E' or '+' or '-' or '_')
            && !text.StartsWith('_') && !text.EndsWith('_') && !text.Contains("__", StringComparison.Ordinal);
        return isPlain && double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real : null;
    }

    private static object? Round(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("round", 0, "precision", "method");
        var precision = (int)Math.Clamp(bound.Number(0), -400, 400);
        var method = bound.Text(1, "common");
        if (method is not ("common" or "ceil" or "floor"))
        {
            throw TemplateException.Value("method must be common, ceil or floor");
        }

        if (value is Undefined undefined)
        {
            throw undefined.Used();
        }

        if (!Numbers.IsNumber(value))
        {
            throw TemplateException.Type($"type {TypeNames.Of(value)} doesn't define __round__ method");
        }

        if (method != "common")
        {
            var scale = Math.Pow(10, precision);
            var scaled = Numbers.Real(value) * scale;
            return (method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) / scale;
        }

        return Numbers.Whole(value) is { } whole ? RoundWhole(whole, precision) : RoundReal((double)value!, precision);
    }

    private static object RoundWhole(BigInteger whole, int precision)
    {
        if (precision >= 0)
        {
            return whole;
        }

        var unit = BigInteger.Pow(10, -precision);
        var quotient = BigInteger.DivRem(BigInteger.Abs(whole), unit, out var rest);
        var order = (rest * 2).CompareTo(unit);
        quotient += order > 0 || (order == 0 && !quotient.IsEven) ? 1 : 0;
        return quotient * unit * whole.Sign;
    }

    private static object RoundReal(double real, int precision)
    {
        if (!double.IsFinite(real) || precision > 330)
        {
            return real;
        }

        var scaled = RealDigits.Scaled(Math.Abs(real), precision);
        var rounded = double.Parse($"{scaled.ToString(CultureInfo.InvariantCulture)}E{-precision}", CultureInfo.InvariantCulture);
        return Math.CopySign(rounded, real);
    }

    private static object? Sum(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("sum", 0, "attribute", "start");
        var path = bound.At(0) is { } attribute ? AttributePath.Of(attribute) : null;
        var sum = bound.At(1, BigInteger.Zero);
        if (sum is string)
        {
            throw TemplateException.Type("sum() can't sum strings [use ''.join(seq) instead]");
        }

        foreach (var item in Sequences.Items(value, run.Meter))
        {
            sum = Arithmetic.Of(sum, "+", path is null ? item : path.Get(item, run), run);
        }

        return sum;
    }

    private static object? FileSize(object? value, CallArguments arguments, Run run)
    {
        var binary = arguments.Bind("filesizeformat", 0, "binary").Flag(0);
        var bytes = value is string text ? RealOf(WhiteSpace.Trim(text)) ?? throw TemplateException.Value("could not convert string to float") : Numbers.Real(value);
        var radix = binary ? 1024.0 : 1000.0;
        if (bytes == 1)
        {
            return "1 Byte";
        }

        if (bytes < radix)
        {
            return $"{new BigInteger(bytes)} Bytes";
        }

        string[] prefixes = binary ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"] : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
        var unit = 0;
        while (unit + 1 < prefixes.Length && bytes >= Math.Pow(radix, unit + 2))
        {
            unit++;
        }

        return $"{RealDigits.Fixed(bytes / Math.Pow(radix, unit + 1), 1)} {prefixes[unit]}";
    }
}
