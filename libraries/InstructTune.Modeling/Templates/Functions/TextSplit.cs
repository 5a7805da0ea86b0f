namespace InstructTune.Modeling.Templates;

/// <summary>`split`, `splitlines`, `partition`.</summary>
internal static class TextSplit
{
    public static PyList Split(string text, CallArguments arguments, Meter meter)
    {
        var (separator, most) = Bind(text, arguments, "split", meter);
        return separator is null ? Words(text, most, meter) : Listed(Parts(text, separator, most), meter);
    }

    public static PyList SplitRight(string text, CallArguments arguments, Meter meter)
    {
        var (separator, most) = Bind(text, arguments, "rsplit", meter);
        var parts = separator is null ? Words(Reversed(text), most, meter).Items.Cast<string>() : Parts(Reversed(text), Reversed(separator), most);
        return Listed(parts.Select(Reversed).Reverse(), meter);
    }

    public static PyList Lines(string text, bool keepEnds, Meter meter)
    {
        var lines = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            while (end < text.Length && text[end] is not ('\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029'))
            {
                end++;
            }

            var next = end == text.Length ? end : text.AsSpan(end).StartsWith("\r\n") ? end + 2 : end + 1;
            lines.Add(text[start..(keepEnds ? next : end)]);
            start = next;
        }

        return Listed(lines, meter);
    }

    public static PyTuple Partition(string text, string separator, bool fromRight)
    {
        var at = fromRight ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        return at >= 0
            ? PyTuple.Of(text[..at], separator, text[(at + separator.Length)..])
            : fromRight ? PyTuple.Of("", "", text) : PyTuple.Of(text, "", "");
    }

    private static (string? Separator, long Most) Bind(string text, CallArguments arguments, string name, Meter meter)
    {
        var bound = arguments.Bind(name, 0, "sep", "maxsplit");
        meter.Text(text.Length);
        var most = bound.Number(1, -1);
        if (bound.At(0) is null)
        {
            return (null, most);
        }

        var separator = bound.Text(0);
        meter.Search(text, separator);
        return separator.Length == 0 ? throw TemplateException.Value("empty separator") : (separator, most);
    }

    private static IEnumerable<string> Parts(string text, string separator, long most)
    {
        var start = 0;
        for (; most != 0 && text.IndexOf(separator, start, StringComparison.Ordinal) is >= 0 and var at; most--)
        {
            yield return text[start..at];
            start = at + separator.Length;
        }

        yield return text[start..];
    }

    private static PyList Words(string text, long most, Meter meter)
    {
        var words = new List<string>();
        for (var at = 0; ;)
        {
            while (at < text.Length && WhiteSpace.Is(text[at]))
            {
                at++;
            }

            if (at == text.Length)
            {
                return Listed(words, meter);
            }

            if (most-- == 0)
            {
                words.Add(text[at..]);
                return Listed(words, meter);
            }

            var start = at;
            while (at < text.Length && !WhiteSpace.Is(text[at]))
            {
                at++;
            }

            words.Add(text[start..at]);
        }
    }

    private static PyList Listed(IEnumerable<string> parts, Meter meter)
    {
        var list = PyList.Of(parts);
        meter.Items(list.Items.Count);
        return list;
    }

    private static string Reversed(string text)
    {
        var characters = text.ToCharArray();
        Array.Reverse(characters);
        return new string(characters);
    }
}
