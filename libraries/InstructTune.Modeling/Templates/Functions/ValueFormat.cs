using System.Globalization;
using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>A value by a format specification, as Python's `format`.</summary>
internal static class ValueFormat
{
    public static string Of(object? value, string specification, Meter meter)
    {
        if (specification.Length == 0)
        {
            return TextForm.Of(value, meter);
        }

        if (specification.Contains('%', StringComparison.Ordinal) && value is not (double or BigInteger or bool or string or Markup))
        {
            throw Unsupported(value);
        }

        var spec = FormatSpec.Parse(specification);
        return value switch
        {
            string text => Text(text, spec, meter),
            Markup markup => Text(markup.Text, spec, meter),
            double real => Real(real, spec, meter),
            _ when Numbers.Whole(value) is { } whole => Whole(whole, spec, meter),
            _ => throw Unsupported(value),
        };
    }

    public static string Real(double value, FormatSpec spec, Meter meter)
    {
        var type = spec.Type ?? '\0';
        if (!"\0eEfFgGn%".Contains(type, StringComparison.Ordinal))
        {
            throw TemplateException.Value($"Unknown format code '{type}' for object of type 'float'");
        }

        var digits = double.IsFinite(value) ? Digits(type == '%' ? value * 100 : value, spec, type) : FloatForm.Of(Math.Abs(value));
        digits = spec.Grouping is { } mark ? Grouped(digits, mark) : digits;
        digits = type is 'E' or 'F' or 'G' ? digits.ToUpperInvariant() : type == '%' ? digits + "%" : digits;
        return spec.Signed(digits, double.IsNegative(value) && !double.IsNaN(value), meter);
    }

    public static string Whole(BigInteger value, FormatSpec spec, Meter meter)
    {
        var type = spec.Type ?? 'd';
        if (type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%')
        {
            return Real(Numbers.ToDouble(value), spec, meter);
        }

        if (spec.Precision is not null)
        {
            throw TemplateException.Value("Precision not allowed in integer format specifier");
        }

        if (type == 'c')
        {
            return Text(Character(value), spec, meter);
        }

        var radix = type switch { 'd' or 'n' => 10, 'x' or 'X' => 16, 'o' => 8, 'b' => 2, _ => throw Unknown(type) };
        var digits = Based(BigInteger.Abs(value), radix);
        digits = spec.Grouping is { } mark ? Grouped(digits, mark, radix == 10 ? 3 : 4) : digits;
        var prefix = spec.Alternate && radix != 10 ? "0" + type : "";
        return spec.Signed(type == 'X' ? digits.ToUpperInvariant() : digits, value.Sign < 0, meter, prefix);
    }

    public static string Character(BigInteger code) => code >= 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF)
        ? char.ConvertFromUtf32((int)code)
        : throw TemplateException.Value("%c arg not in range(0x110000)");

    public static string Based(BigInteger value, int radix)
    {
        if (radix == 10)
        {
            return TextForm.Whole(value);
        }

        var digits = new StringBuilder();
        do
        {
            digits.Insert(0, "0123456789abcdef"[(int)(value % radix)]);
            value /= radix;
        }
        while (!value.IsZero);
        return digits.ToString();
    }

    private static string Text(string text, FormatSpec spec, Meter meter)
    {
        if (spec.Type is not (null or 's' or 'c'))
        {
            throw TemplateException.Value($"Unknown format code '{spec.Type}' for object of type 'str'");
        }

        if (spec.Sign != '-' || (spec.Align == '=' && spec.Fill != "0"))
        {
            throw TemplateException.Value("Sign or '=' alignment not allowed in string format specifier");
        }

        var cut = spec.Precision is { } most ? text[..CodePoints.Offset(text, Math.Min(most, CodePoints.Count(text)))] : text;
        return TextPad.Of(cut, spec.Width, spec.Align is null or '=' ? '<' : spec.Align.Value, spec.Fill, meter);
    }

    private static string Digits(double value, FormatSpec spec, char type) => type switch
    {
        'e' or 'E' => RealDigits.Exponent(value, spec.Precision ?? 6),
        'f' or 'F' or '%' => RealDigits.Fixed(value, spec.Precision ?? 6),
        'g' or 'G' or 'n' => RealDigits.General(value, spec.Precision ?? 6, spec.Alternate),
        _ => spec.Precision is { } precision ? WithPoint(RealDigits.General(value, precision, spec.Alternate)) : FloatForm.Of(Math.Abs(value)),
    };

    // Without a type a float always shows that it is one.
    private static string WithPoint(string digits) =>
        digits.Contains('.', StringComparison.Ordinal) || digits.Contains('e', StringComparison.Ordinal) ? digits : digits + ".0";

    private static string Grouped(string digits, char mark, int size = 3)
    {
        var end = digits.AsSpan().IndexOfAny('.', 'e');
        end = end < 0 ? digits.Length : end;
        var result = new StringBuilder(digits);
        for (var at = end - size; at > 0; at -= size)
        {
            result.Insert(at, mark.ToString(CultureInfo.InvariantCulture));
        }

        return result.ToString();
    }

    private static TemplateException Unsupported(object? value) =>
        TemplateException.Type($"unsupported format string passed to {TypeNames.Of(value)}.__format__");

    private static TemplateException Unknown(char type) => TemplateException.Value($"Unknown format code '{type}' for object of type 'int'");
}
