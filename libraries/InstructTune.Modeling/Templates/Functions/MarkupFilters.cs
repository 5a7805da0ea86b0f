using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Filters about HTML and URLs.</summary>
internal static class MarkupFilters
{
    public static IEnumerable<KeyValuePair<string, FilterFunction>> All { get; } =
    [
        new("safe", (value, _, run) => value is Markup ? value : new Markup(run.Print(value))),
        new("escape", (value, _, run) => new Markup(Escaping.Html(value, run.Meter))),
        new("e", (value, _, run) => new Markup(Escaping.Html(value, run.Meter))),
        new("forceescape", (value, _, run) => new Markup(Escaping.Html(run.Print(value), run.Meter))),
        new("striptags", (value, _, run) => Escaping.StripTags(run.Print(value), run.Meter)),
        new("urlencode", (value, _, run) => UrlEncode(value, run)),
        new("xmlattr", XmlAttributes),
    ];

    private static string UrlEncode(object? value, Run run)
    {
        if (value is string or Markup || !Sequences.IsIterable(value))
        {
            return Escaping.Url(run.Print(value), spaceIsPlus: false, "/", run.Meter);
        }

        var pairs = value is PyDict dict
            ? dict.Pairs.Select(pair => (pair.Key, pair.Value))
            : Sequences.Items(value, run.Meter).Select(item => Sequences.Listed(item, run.Meter) is [var key, var second]
                ? (key, second)
                : throw TemplateException.Value("urlencode needs pairs"));
        return string.Join('&', pairs.Select(pair =>
            Escaping.Url(run.Print(pair.Item1), spaceIsPlus: true, "", run.Meter) + "=" + Escaping.Url(run.Print(pair.Item2), spaceIsPlus: true, "", run.Meter)));
    }

    private static object? XmlAttributes(object? value, CallArguments arguments, Run run)
    {
        var autospace = arguments.Bind("xmlattr", 0, "autospace").Flag(0, otherwise: true);
        var dict = value as PyDict ?? throw TemplateException.Type($"'{TypeNames.Of(value)}' object has no items");
        var text = new StringBuilder();
        foreach (var (key, item) in dict.Pairs.Where(pair => pair.Value is not (null or Undefined)))
        {
            var name = run.Print(key);
            if (name.Any(c => WhiteSpace.Is(c) || c is '/' or '>' or '='))
            {
                throw TemplateException.Value($"Invalid character in attribute name: {TextForm.Quote(name)}");
            }

            text.Append(text.Length == 0 ? "" : " ").Append($"{Escaping.Html(name, run.Meter)}=\"{Escaping.Html(item, run.Meter)}\"");
        }

        return text.Length > 0 && autospace ? text.Insert(0, ' ').ToString() : text.ToString();
    }
}
