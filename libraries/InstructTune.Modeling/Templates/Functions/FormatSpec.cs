using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>A format specification: `[[fill]align][sign][#][0][width][grouping][.precision][type]`.</summary>
internal sealed record FormatSpec
{
    private const int MaxPrecision = 4096;

    public string Fill { get; init; } = " ";

    public char? Align { get; init; }

    public char Sign { get; init; } = '-';

    public bool Alternate { get; init; }

    public long Width { get; init; }

    public char? Grouping { get; init; }

    public int? Precision { get; init; }

    public char? Type { get; init; }

    public static FormatSpec Parse(string text)
    {
        var at = 0;
        var spec = new FormatSpec();
        var first = text.Length > 0 && char.IsSurrogatePair(text, 0) ? 2 : 1;
        if (text.Length > first && text[first] is '<' or '>' or '=' or '^')
        {
            spec = spec with { Fill = text[..first], Align = text[first] };
            at = first + 1;
        }
        else if (text.Length > 0 && text[0] is '<' or '>' or '=' or '^')
        {
            spec = spec with { Align = text[0] };
            at = 1;
        }

        if (At(text, at) is '+' or '-' or ' ')
        {
            spec = spec with { Sign = text[at++] };
        }

        if (At(text, at) == '#')
        {
            spec = spec with { Alternate = true };
            at++;
        }

        if (At(text, at) == '0')
        {
            spec = spec.Align is null ? spec with { Fill = "0", Align = '=' } : spec;
            at++;
        }

        return spec.Rest(text, at);
    }

    /// <summary>Digits with their sign, padded.</summary>
    public string Signed(string digits, bool negative, Meter meter, string prefix = "")
    {
        var sign = (negative ? "-" : Sign == '-' ? "" : Sign.ToString()) + prefix;
        return Align == '='
            ? sign + TextPad.Of(digits, Width - sign.Length, '>', Fill, meter)
            : TextPad.Of(sign + digits, Width, Align ?? '>', Fill, meter);
    }

    private FormatSpec Rest(string text, int at)
    {
        var (width, afterWidth) = Digits(text, at);
        var spec = this with { Width = width ?? 0 };
        at = afterWidth;
        if (At(text, at) is ',' or '_')
        {
            spec = spec with { Grouping = text[at++] };
        }

        if (At(text, at) == '.')
        {
            var (precision, end) = Digits(text, at + 1);
            spec = spec with { Precision = Checked(precision ?? throw TemplateException.Value("Format specifier missing precision")) };
            at = end;
        }

        if (at < text.Length)
        {
            spec = spec with { Type = text[at++] };
        }

        return at == text.Length ? spec : throw TemplateException.Value($"Invalid format specifier '{text}'");
    }

    public static int Checked(long precision) => precision <= MaxPrecision
        ? (int)precision
        : throw TemplateException.Limit($"a format asks for more than {MaxPrecision} digits");

    public static (long? Value, int End) Digits(string text, int at)
    {
        var end = at;
        var value = BigInteger.Zero;
        while (char.IsAsciiDigit(At(text, end)))
        {
            value = BigInteger.Min((value * 10) + (text[end++] - '0'), int.MaxValue);
        }

        return (end == at ? null : (long)value, end);
    }

    public static char At(string text, int at) => at < text.Length ? text[at] : '\0';
}
