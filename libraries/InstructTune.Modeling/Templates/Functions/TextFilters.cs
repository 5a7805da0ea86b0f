using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Filters over texts.</summary>
internal static class TextFilters
{
    public static IEnumerable<KeyValuePair<string, FilterFunction>> All { get; } =
    [
        new("upper", (value, a, run) => Mapped(value, a, run, "upper", TextCase.Upper)),
        new("lower", (value, a, run) => Mapped(value, a, run, "lower", TextCase.Lower)),
        new("capitalize", (value, a, run) => Mapped(value, a, run, "capitalize", TextCase.Capitalize)),
        new("title", (value, a, run) => Mapped(value, a, run, "title", WordTitle)),
        new("trim", Trim),
        new("string", (value, a, run) => value is Markup ? value : Mapped(value, a, run, "string", text => text)),
        new("replace", Replace),
        new("indent", Indent),
        new("center", Center),
        new("truncate", Truncate),
        new("wordwrap", (value, a, run) => WordWrap.Apply(FilterTable.Text(value, run), a, run)),
        new("wordcount", (value, _, run) => (BigInteger)WordCount(FilterTable.Text(value, run))),
        new("format", Format),
        new("tojson", (value, a, run) => JsonForm.Of(value, a, run)),
        new("pprint", (value, _, run) => PrettyForm.Of(value, run)),
    ];

    private static object? Mapped(object? value, CallArguments arguments, Run run, string name, Func<string, string> map)
    {
        arguments.Bind(name, 0);
        var text = FilterTable.Text(value, run);
        run.Meter.Text(text.Length);
        return FilterTable.Like(value, map(text));
    }

    // As jinja2's own filter: words are parted by white space, hyphens and opening brackets.
    private static string WordTitle(string text)
    {
        var result = new StringBuilder(text.Length);
        var start = 0;
        for (var at = 0; at <= text.Length; at++)
        {
            var parts = at == text.Length || WhiteSpace.Is(text[at]) || "-({[<".Contains(text[at], StringComparison.Ordinal);
            if (!parts)
            {
                continue;
            }

            AppendWord(text[start..at], result);
            result.Append(at < text.Length ? text[at].ToString() : "");
            start = at + 1;
        }

        return result.ToString();
    }

    private static void AppendWord(string word, StringBuilder result)
    {
        if (word.Length > 0)
        {
            var first = char.IsSurrogatePair(word, 0) ? 2 : 1;
            result.Append(TextCase.Upper(word[..first])).Append(TextCase.Lower(word[first..]));
        }
    }

    private static object? Trim(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("trim", 0, "chars");
        return FilterTable.Like(value, TextTrim.Both(FilterTable.Text(value, run), bound.At(0) is null ? null : bound.Text(0)));
    }

    private static object? Replace(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("replace", 2, "old", "new", "count");
        var most = bound.At(2) is null ? -1 : bound.Number(2);
        return FilterTable.Like(value, TextSearch.Replace(
            FilterTable.Text(value, run), FilterTable.Text(bound.At(0), run), FilterTable.Text(bound.At(1), run), most, run.Meter));
    }

    private static object? Indent(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("indent", 0, "width", "first", "blank");
        var indention = bound.At(0, BigInteger.Parse("4")) as string ?? Spaces(bound.Number(0, 4), run);
        var lines = TextSplit.Lines(FilterTable.Text(value, run) + "\n", keepEnds: false, run.Meter).Items.Cast<string>().ToArray();
        run.Meter.Text(lines.Sum(line => (long)line.Length + indention.Length + 1));
        var result = new StringBuilder();
        for (var i = 0; i < lines.Length; i++)
        {
            var indents = i == 0 ? bound.Flag(1) : bound.Flag(2) || lines[i].Length > 0;
            result.Append(i == 0 ? "" : "\n").Append(indents ? indention : "").Append(lines[i]);
        }

        return FilterTable.Like(value, result.ToString());
    }

    private static string Spaces(long count, Run run)
    {
        run.Meter.Text(Math.Max(0, count));
        return new string(' ', (int)Math.Max(0, count));
    }

    private static object? Center(object? value, CallArguments arguments, Run run) => FilterTable.Like(value, TextPad.Of(
        FilterTable.Text(value, run), arguments.Bind("center", 0, "width").Number(0, 80), '^', " ", run.Meter));

    private static object? Truncate(object? value, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("truncate", 0, "length", "killwords", "end", "leeway");
        var text = FilterTable.Text(value, run);
        var (length, end, leeway) = ((int)bound.Number(0, 255), bound.Text(2, "..."), bound.At(3) is null ? 5 : bound.Number(3));
        var endLength = CodePoints.Count(end);
        if (length < endLength || leeway < 0)
        {
            throw new TemplateException(TemplateFault.Value, $"expected length >= {endLength} and leeway >= 0");
        }

        if (CodePoints.Count(text) <= length + leeway)
        {
            return value is Markup ? value : text;
        }

        var kept = text[..CodePoints.Offset(text, length - endLength)];
        var space = kept.LastIndexOf(' ');
        return FilterTable.Like(value, (bound.Flag(1) || space < 0 ? kept : kept[..space]) + end);
    }

    // Runs of letters, digits and underscores.
    private static int WordCount(string text)
    {
        var (count, inside) = (0, false);
        foreach (var part in CodePoints.Split(text))
        {
            var isWord = part == "_" || TextKinds.IsAlpha(part) || TextKinds.IsNumeric(part);
            count += isWord && !inside ? 1 : 0;
            inside = isWord;
        }

        return count;
    }

    private static object? Format(object? value, CallArguments arguments, Run run)
    {
        if (arguments.Positional.Count > 0 && arguments.Named.Count > 0)
        {
            throw TemplateException.Type("can't handle positional and keyword arguments at the same time");
        }

        object? values = arguments.Named.Count > 0
            ? new PyDict(arguments.Named.Select(pair => KeyValuePair.Create((object?)pair.Key, pair.Value)))
            : new PyTuple(arguments.Positional);
        return FilterTable.Like(value, PercentFormat.Apply(FilterTable.Text(value, run), values, run));
    }
}
