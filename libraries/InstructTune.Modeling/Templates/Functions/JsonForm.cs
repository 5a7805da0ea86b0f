using System.Globalization;
using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>`tojson` as transformers has it: Python's `json.dumps`, letters beyond ASCII as they are, nothing escaped for HTML.</summary>
internal sealed class JsonForm
{
    private readonly Meter _meter;
    private readonly StringBuilder _text = new();
    private bool _ascii;
    private bool _sorted;
    private string? _indent;
    private string _itemSeparator = ", ";
    private string _keySeparator = ": ";

    private JsonForm(Meter meter) => _meter = meter;

    public static string Of(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        var form = new JsonForm(run.Meter) { _ascii = bound.Flag(0), _sorted = bound.Flag(3), _indent = Indent(bound.At(1), run.Meter) };
        if (form._indent is not null)
        {
            form._itemSeparator = ",";
        }

        if (bound.At(2) is { } separators)
        {
            var pair = Sequences.Listed(separators, run.Meter);
            (form._itemSeparator, form._keySeparator) = pair is [string item, string key]
                ? (item, key)
                : throw TemplateException.Type("separators must be a pair of strings");
        }

        form.Write(value, 0);
        return form._text.ToString();
    }

    private static string? Indent(object? indent, Meter meter)
    {
        switch (indent)
        {
            case null:
                return null;
            case string text:
                return text;
            default:
                var count = Math.Max(0, Numbers.ToIndex(indent));
                meter.Text(count);
                return new string(' ', (int)count);
        }
    }

    private void Write(object? value, int level)
    {
        _meter.EnterValue();
        switch (value)
        {
            case string text:
                Quote(text);
                break;
            case Markup markup:
                Quote(markup.Text);
                break;
            case PyList list:
                Items(list.Items, level);
                break;
            case PyTuple tuple:
                Items(tuple.Items, level);
                break;
            case PyDict dict:
                Pairs(dict, level);
                break;
            default:
                Append(Scalar(value));
                break;
        }

        _meter.LeaveValue();
    }

    private static string Scalar(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        BigInteger number => TextForm.Whole(number),
        double real => Real(real),
        _ => throw TemplateException.Type($"Object of type {TypeNames.Of(value)} is not JSON serializable"),
    };

    private static string Real(double real) => double.IsNaN(real) ? "NaN" : double.IsInfinity(real) ? (real > 0 ? "Infinity" : "-Infinity") : FloatForm.Of(real);

    private void Items(IReadOnlyList<object?> items, int level)
    {
        Append("[");
        for (var i = 0; i < items.Count; i++)
        {
            Separate(i == 0, level + 1);
            Write(items[i], level + 1);
        }

        Close(items.Count > 0, "]", level);
    }

    private void Pairs(PyDict dict, int level)
    {
        Append("{");
        IEnumerable<KeyValuePair<object?, object?>> pairs = _sorted ? StableSort.Of(dict.Pairs, (a, b) => Ordering.Compare(a.Key, b.Key, "<", _meter)) : dict.Pairs;
        var first = true;
        foreach (var (key, value) in pairs)
        {
            Separate(first, level + 1);
            first = false;
            Quote(Key(key));
            Append(_keySeparator);
            Write(value, level + 1);
        }

        Close(dict.Count > 0, "}", level);
    }

    private static string Key(object? key) => key is string text ? text : key is Markup markup ? markup.Text : key is null or bool or BigInteger or double
        ? Scalar(key)
        : throw TemplateException.Type($"keys must be str, int, float, bool or None, not {TypeNames.Of(key)}");

    private void Separate(bool first, int level)
    {
        Append(first ? "" : _itemSeparator);
        Break(level);
    }

    private void Close(bool any, string bracket, int level)
    {
        if (any)
        {
            Break(level);
        }

        Append(bracket);
    }

    private void Break(int level)
    {
        if (_indent is null)
        {
            return;
        }

        Append("\n");
        for (var i = 0; i < level; i++)
        {
            Append(_indent);
        }
    }

    private void Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var character in text)
        {
            quoted.Append(character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                _ when character < ' ' || (_ascii && character > '~') => "\\u" + ((int)character).ToString("x4", CultureInfo.InvariantCulture),
                _ => character.ToString(),
            });
        }

        Append(quoted.Append('"').ToString());
    }

    private void Append(string text)
    {
        if ((long)_text.Length + text.Length > _meter.Limits.TextCharacters)
        {
            _meter.Text((long)_text.Length + text.Length);
        }

        _meter.Text(text.Length);
        _text.Append(text);
    }
}
