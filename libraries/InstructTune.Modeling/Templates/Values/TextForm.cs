using System.Globalization;
using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Values as text: `str` and `repr` of Python.</summary>
internal static class TextForm
{
    private const int MaxDigits = 4300;

    /// <summary>What `{{ value }}` prints.</summary>
    public static string Of(object? value, Meter meter) => value switch
    {
        string text => text,
        Markup markup => markup.Text,
        Undefined => "",
        _ => Repr(value, meter),
    };

    public static string Repr(object? value, Meter meter)
    {
        var builder = new StringBuilder();
        Write(value, builder, meter);
        meter.Text(builder.Length);
        return builder.ToString();
    }

    public static string Quote(string text)
    {
        var builder = new StringBuilder(text.Length + 2);
        Quote(text, builder);
        return builder.ToString();
    }

    public static string Whole(BigInteger number) =>
        BigInteger.Abs(number).GetBitLength() > MaxDigits * 3.33 && BigInteger.Log10(BigInteger.Abs(number)) >= MaxDigits
            ? throw TemplateException.Value($"Exceeds the limit ({MaxDigits} digits) for integer string conversion")
            : number.ToString(CultureInfo.InvariantCulture);

    private static void Write(object? value, StringBuilder builder, Meter meter)
    {
        meter.EnterValue();
        switch (value)
        {
            case string text:
                Quote(text, builder);
                break;
            case Markup markup:
                builder.Append("Markup(").Append(Quote(markup.Text)).Append(')');
                break;
            case PyList list:
                WriteItems('[', list.Items, ']', builder, meter);
                break;
            case PyTuple { Items.Count: 1 } tuple:
                WriteItems('(', tuple.Items, ',', builder, meter);
                builder.Append(')');
                break;
            case PyTuple tuple:
                WriteItems('(', tuple.Items, ')', builder, meter);
                break;
            case PyDict dict:
                WriteDict(dict, builder, meter);
                break;
            case DictView view:
                builder.Append(view.TypeName).Append('(');
                WriteItems('[', view.Items, ']', builder, meter);
                builder.Append(')');
                break;
            default:
                builder.Append(Plain(value));
                break;
        }

        if (builder.Length > meter.Limits.TextCharacters)
        {
            meter.Text(builder.Length);
        }

        meter.LeaveValue();
    }

    private static string Plain(object? value) => value switch
    {
        null => "None",
        bool flag => flag ? "True" : "False",
        BigInteger number => Whole(number),
        double real => FloatForm.Of(real),
        Undefined => "Undefined",
        PyRange { Step: 1 } range => $"range({range.Start}, {range.Stop})",
        PyRange range => $"range({range.Start}, {range.Stop}, {range.Step})",
        PyNamespace => "<Namespace>",
        PyMacro macro => macro.Name is { } name ? $"<Macro {Quote(name)}>" : "<Macro anonymous>",
        LoopState loop => $"<LoopContext {loop.Index0 + 1}/{loop.Count}>",
        _ => $"<{TypeNames.Of(value)}>",
    };

    private static void WriteItems(char open, IEnumerable<object?> items, char close, StringBuilder builder, Meter meter)
    {
        builder.Append(open);
        var first = true;
        foreach (var item in items)
        {
            builder.Append(first ? "" : ", ");
            first = false;
            Write(item, builder, meter);
        }

        builder.Append(close);
    }

    private static void WriteDict(PyDict dict, StringBuilder builder, Meter meter)
    {
        builder.Append('{');
        var first = true;
        foreach (var (key, value) in dict.Pairs)
        {
            builder.Append(first ? "" : ", ");
            first = false;
            Write(key, builder, meter);
            builder.Append(": ");
            Write(value, builder, meter);
        }

        builder.Append('}');
    }

    private static void Quote(string text, StringBuilder builder)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        builder.Append(quote);
        foreach (var part in CodePoints.Split(text))
        {
            builder.Append(part switch
            {
                "\\" => "\\\\",
                "\n" => "\\n",
                "\r" => "\\r",
                "\t" => "\\t",
                _ when part.Length == 1 && part[0] == quote => "\\" + part,
                _ => Printable.Is(part) ? part : Escaped(part),
            });
        }

        builder.Append(quote);
    }

    private static string Escaped(string part)
    {
        var code = part.Length == 2 ? char.ConvertToUtf32(part[0], part[1]) : part[0];
        return code switch
        {
            <= 0xFF => $"\\x{code:x2}",
            <= 0xFFFF => $"\\u{code:x4}",
            _ => $"\\U{code:x8}",
        };
    }
}
