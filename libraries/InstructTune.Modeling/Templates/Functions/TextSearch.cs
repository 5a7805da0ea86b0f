using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>`find`, `count`, `replace`, `startswith`; positions are code points.</summary>
internal static class TextSearch
{
    public static int Find(string text, CallArguments arguments, Meter meter, bool last)
    {
        var (part, window, from) = Window(text, arguments, "find");
        meter.Search(window, part);
        if (from > CodePoints.Count(text))
        {
            return -1;
        }

        var at = last ? window.LastIndexOf(part, StringComparison.Ordinal) : window.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : from + CodePoints.Count(window.AsSpan(0, at));
    }

    public static int Index(string text, CallArguments arguments, Meter meter, bool last) =>
        Find(text, arguments, meter, last) is >= 0 and var at ? at : throw TemplateException.Value("substring not found");

    public static int Count(string text, CallArguments arguments, Meter meter)
    {
        var (part, window, _) = Window(text, arguments, "count");
        meter.Search(window, part);
        return part.Length == 0 ? CodePoints.Count(window) + 1 : Occurrences(window, part);
    }

    public static bool Affix(string text, CallArguments arguments, Meter meter, bool atStart)
    {
        var name = atStart ? "startswith" : "endswith";
        var bound = arguments.Bind(name, 1, "affix", "start", "end");
        meter.Step();
        var (window, from) = Cut(text, bound, 1);
        IEnumerable<object?> affixes = bound.At(0) is PyTuple tuple ? tuple.Items : [bound.At(0)];
        return affixes.Any(affix =>
        {
            var part = affix as string ?? (affix as Markup)?.Text ?? throw (affix is Undefined undefined
                ? undefined.Used()
                : TemplateException.Type($"{name} first arg must be str or a tuple of str, not {TypeNames.Of(affix)}"));
            return from <= CodePoints.Count(text)
                && (atStart ? window.StartsWith(part, StringComparison.Ordinal) : window.EndsWith(part, StringComparison.Ordinal));
        });
    }

    public static string Replace(string text, string old, string with, long most, Meter meter)
    {
        meter.Search(text, old);
        if (old.Length == 0)
        {
            return Between(text, with, most, meter);
        }

        long count = Occurrences(text, old);
        count = most < 0 ? count : Math.Min(count, most);
        meter.Text(text.Length + (count * (with.Length - old.Length)));
        meter.Step(count / 16);
        var result = new StringBuilder();
        var start = 0;
        for (; count > 0; count--)
        {
            var at = text.IndexOf(old, start, StringComparison.Ordinal);
            result.Append(text, start, at - start).Append(with);
            start = at + old.Length;
        }

        return result.Append(text, start, text.Length - start).ToString();
    }

    private static int Occurrences(string text, string part)
    {
        var count = 0;
        for (var at = 0; (at = text.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length)
        {
            count++;
        }

        return count;
    }

    // Nothing is found before every character, and at the end.
    private static string Between(string text, string with, long most, Meter meter)
    {
        var points = CodePoints.Split(text).ToArray();
        var count = most < 0 ? points.Length + 1 : Math.Min(points.Length + 1, most);
        meter.Text(text.Length + (count * with.Length));
        meter.Step(points.Length / 16);
        var result = new StringBuilder();
        for (var i = 0; i < points.Length; i++)
        {
            result.Append(i < count ? with : "").Append(points[i]);
        }

        return result.Append(points.Length < count ? with : "").ToString();
    }

    private static (string Part, string Window, int From) Window(string text, CallArguments arguments, string name)
    {
        var bound = arguments.Bind(name, 1, "sub", "start", "end");
        var (window, from) = Cut(text, bound, 1);
        return (bound.Text(0), window, from);
    }

    private static (string Window, int From) Cut(string text, BoundArguments bound, int first)
    {
        if (bound.At(first) is null && bound.At(first + 1) is null)
        {
            return (text, 0);
        }

        var count = CodePoints.Count(text);
        var from = Bound(bound.At(first), count, 0);
        var to = Math.Min(Bound(bound.At(first + 1), count, count), count);
        if (from >= to)
        {
            return ("", from);
        }

        var start = CodePoints.Offset(text, from);
        return (text[start..CodePoints.Offset(text, to)], from);
    }

    private static int Bound(object? value, int count, int otherwise)
    {
        if (value is null)
        {
            return otherwise;
        }

        var index = (int)Numbers.ToIndex(value);
        return index < 0 ? Math.Max(0, index + count) : index;
    }
}
