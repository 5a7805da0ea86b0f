using System.Collections;
using System.Globalization;
using System.Text;

namespace InstructTune.Trainer.Reports;

/// <summary>Values as Python's <c>json.dumps</c> writes them: its spacing, its escapes, its spelling of numbers.</summary>
internal static class PythonJson
{
    /// <summary>With the default separators, on one line, keys in the order given.</summary>
    public static string Line(IEnumerable<KeyValuePair<string, object?>> fields)
    {
        var text = new StringBuilder();
        Write(text, fields, indent: null, depth: 0);
        return text.ToString();
    }

    /// <summary>With an indent and sorted keys.</summary>
    public static string Sorted(object? value, int indent)
    {
        var text = new StringBuilder();
        Write(text, value, indent, depth: 0);
        return text.ToString();
    }

    private static void Write(StringBuilder text, object? value, int? indent, int depth)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case bool truth:
                text.Append(truth ? "true" : "false");
                break;
            case string words:
                WriteString(text, words);
                break;
            case double number:
                text.Append(PythonNumber.Format(number));
                break;
            case IEnumerable<KeyValuePair<string, object?>> fields:
                var ordered = indent is null ? fields : fields.OrderBy(field => field.Key, StringComparer.Ordinal);
                WriteAll(text, '{', '}', [.. ordered], indent, depth, field =>
                {
                    WriteString(text, field.Key);
                    text.Append(": ");
                    Write(text, field.Value, indent, depth + 1);
                });
                break;
            case IEnumerable items:
                WriteAll(text, '[', ']', [.. items.Cast<object?>()], indent, depth, item => Write(text, item, indent, depth + 1));
                break;
            default:
                text.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static void WriteAll<T>(StringBuilder text, char open, char close, IReadOnlyList<T> items, int? indent, int depth, Action<T> write)
    {
        text.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            text.Append(i == 0 ? "" : indent is null ? ", " : ",");
            NewLine(text, indent, depth + 1);
            write(items[i]);
        }

        if (items.Count > 0)
        {
            NewLine(text, indent, depth);
        }

        text.Append(close);
    }

    private static void NewLine(StringBuilder text, int? indent, int depth)
    {
        if (indent is { } width)
        {
            text.Append('\n').Append(' ', width * depth);
        }
    }

    private static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var character in value)
        {
            text.Append(character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' or > '~' and not '\x7f' => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => character.ToString(),
            });
        }

        text.Append('"');
    }
}
