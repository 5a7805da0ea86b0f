using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>The `%` operator of texts.</summary>
internal sealed class PercentFormat
{
    private readonly string _text;
    private readonly object? _values;
    private readonly Run _run;
    private readonly IReadOnlyList<object?> _list;
    private int _at;
    private int _used;

    private PercentFormat(string text, object? values, Run run)
    {
        (_text, _values, _run) = (text, values, run);
        _list = values is PyTuple tuple ? tuple.Items : [values];
    }

    public static string Apply(string text, object? values, Run run) => new PercentFormat(text, values, run).Expand();

    private string Expand()
    {
        var result = new StringBuilder();
        while (_at < _text.Length)
        {
            if (_text[_at] != '%')
            {
                result.Append(_text[_at++]);
                continue;
            }

            _at++;
            result.Append(One());
            _run.Meter.Text(result.Length > _run.Meter.Limits.TextCharacters ? result.Length : 1);
        }

        return _used < _list.Count && _values is not (PyDict or PyList)
            ? throw TemplateException.Type("not all arguments converted during string formatting")
            : result.ToString();
    }

    private string One()
    {
        object?[]? keyed = null;
        if (Current == '(')
        {
            keyed = [Keyed()];
        }

        var flags = new HashSet<char>();
        while (Current is '-' or '+' or ' ' or '#' or '0')
        {
            flags.Add(_text[_at++]);
        }

        var width = Size();
        int? precision = null;
        if (Current == '.')
        {
            _at++;
            precision = FormatSpec.Checked(Math.Max(0, Size()));
        }

        while (Current is 'h' or 'l' or 'L')
        {
            _at++;
        }

        var type = Current == '\0' ? throw TemplateException.Value("incomplete format") : _text[_at++];
        if (type == '%')
        {
            return "%";
        }

        return Padded(Converted(type, keyed is null ? NextValue() : keyed[0], precision, flags), Math.Abs(width), width < 0 ? [.. flags, '-'] : flags, type);
    }

    private object? Keyed()
    {
        var end = _text.IndexOf(')', _at);
        var key = end < 0 ? throw TemplateException.Value("incomplete format key") : _text[(_at + 1)..end];
        _at = end + 1;
        _used = _list.Count;
        var dict = _values as PyDict ?? throw TemplateException.Type("format requires a mapping");
        return dict.TryGet(key, out var value) ? value : throw new TemplateException(TemplateFault.Runtime, $"the format has no value for '{key}'");
    }

    private long Size()
    {
        if (Current == '*')
        {
            _at++;
            return Numbers.ToIndex(NextValue());
        }

        var (value, end) = FormatSpec.Digits(_text, _at);
        _at = end;
        return value ?? 0;
    }

    private object? NextValue() => _used < _list.Count ? _list[_used++] : throw TemplateException.Type("not enough arguments for format string");

    private string Converted(char type, object? value, int? precision, HashSet<char> flags)
    {
        if (value is Undefined undefined && type is not ('s' or 'r' or 'a'))
        {
            throw undefined.Used();
        }

        switch (type)
        {
            case 's':
                return Cut(_run.Print(value), precision);
            case 'r' or 'a':
                return Cut(TextForm.Repr(value, _run.Meter), precision);
            case 'c':
                return value is string { Length: > 0 } text && CodePoints.Count(text) == 1
                    ? text
                    : ValueFormat.Character(Numbers.Whole(value) ?? throw TemplateException.Type("%c requires int or char"));
        }

        var spec = new FormatSpec { Sign = flags.Contains('+') ? '+' : flags.Contains(' ') ? ' ' : '-', Alternate = flags.Contains('#'), Precision = precision, Type = type };
        return type switch
        {
            'd' or 'i' or 'u' => Signed(Whole(value, type), 'd', spec),
            'x' or 'X' or 'o' => Signed(Numbers.Whole(value) ?? throw Needs(type, "an integer", value), type, spec),
            'e' or 'E' or 'f' or 'F' or 'g' or 'G' => ValueFormat.Real(RealOf(value), spec, _run.Meter),
            _ => throw TemplateException.Value($"unsupported format character '{type}'"),
        };
    }

    private string Signed(BigInteger value, char type, FormatSpec spec)
    {
        var text = ValueFormat.Whole(value, spec with { Type = type, Precision = null }, _run.Meter);
        var digits = text.AsSpan().IndexOfAnyInRange('0', 'f');
        return spec.Precision is { } least && text.Length - digits < least
            ? text[..digits] + TextPad.Of(text[digits..], least, '>', "0", _run.Meter)
            : text;
    }

    private static BigInteger Whole(object? value, char type) => value is double real
        ? double.IsFinite(real) ? new BigInteger(real) : throw TemplateException.Value("cannot convert float infinity or NaN to integer")
        : Numbers.Whole(value) ?? throw Needs(type, "a real number", value);

    private static double RealOf(object? value) => Numbers.IsNumber(value)
        ? Numbers.Real(value)
        : throw TemplateException.Type($"must be real number, not {TypeNames.Of(value)}");

    private static TemplateException Needs(char type, string what, object? value) =>
        TemplateException.Type($"%{type} format: {what} is required, not {TypeNames.Of(value)}");

    private string Padded(string text, long width, IReadOnlySet<char> flags, char type)
    {
        if (flags.Contains('-'))
        {
            return TextPad.Of(text, width, '<', " ", _run.Meter);
        }

        return flags.Contains('0') && type is not ('s' or 'r' or 'a' or 'c')
            ? TextPad.Zeros(text, width, _run.Meter)
            : TextPad.Of(text, width, '>', " ", _run.Meter);
    }

    private static string Cut(string text, int? precision) =>
        precision is { } most && most < CodePoints.Count(text) ? text[..CodePoints.Offset(text, most)] : text;

    private char Current => FormatSpec.At(_text, _at);
}
