namespace InstructTune.Modeling.Templates;

/// <summary>`map`, `select`, `reject` and those by attribute. Nothing is done before the items are taken.</summary>
internal static class SelectFilters
{
    public static IEnumerable<KeyValuePair<string, FilterFunction>> All { get; } =
    [
        new("map", (value, a, run) => new PyGenerator(Map(value, a, run))),
        new("select", (value, a, run) => new PyGenerator(Select(value, a, run, byAttribute: false, wanted: true))),
        new("reject", (value, a, run) => new PyGenerator(Select(value, a, run, byAttribute: false, wanted: false))),
        new("selectattr", (value, a, run) => new PyGenerator(Select(value, a, run, byAttribute: true, wanted: true))),
        new("rejectattr", (value, a, run) => new PyGenerator(Select(value, a, run, byAttribute: true, wanted: false))),
    ];

    private static IEnumerable<object?> Map(object? value, CallArguments arguments, Run run)
    {
        if (!Truth.Of(value))
        {
            yield break;
        }

        var map = Mapping(arguments, run);
        foreach (var item in Sequences.Items(value, run.Meter))
        {
            yield return map(item);
        }
    }

    private static Func<object?, object?> Mapping(CallArguments arguments, Run run)
    {
        if (arguments.Positional.Count == 0 && arguments.Named.Any(pair => pair.Key == "attribute"))
        {
            var bound = new CallArguments([], arguments.Named).Bind("map", 0, "attribute", "default");
            var path = AttributePath.Of(bound.At(0), bound.At(1));
            return item => path.Get(item, run);
        }

        if (arguments.Positional.Count == 0)
        {
            throw TemplateException.Value("map requires a filter argument");
        }

        var name = Name(arguments.Positional[0]);
        var rest = new CallArguments([.. arguments.Positional.Skip(1)], arguments.Named);
        return item => FilterTable.Apply(name, item, rest, run);
    }

    private static IEnumerable<object?> Select(object? value, CallArguments arguments, Run run, bool byAttribute, bool wanted)
    {
        if (!Truth.Of(value))
        {
            yield break;
        }

        var given = arguments.Positional;
        if (byAttribute && given.Count == 0)
        {
            throw TemplateException.Value("Missing parameter for attribute name");
        }

        var path = byAttribute ? AttributePath.Of(given[0]) : null;
        var at = byAttribute ? 1 : 0;
        var test = given.Count > at ? Name(given[at]) : null;
        var rest = new CallArguments([.. given.Skip(at + 1)], arguments.Named);
        foreach (var item in Sequences.Items(value, run.Meter))
        {
            var tested = path is null ? item : path.Get(item, run);
            if ((test is null ? Truth.Of(tested) : TestTable.Apply(test, tested, rest, run)) == wanted)
            {
                yield return item;
            }
        }
    }

    private static string Name(object? value) => value as string ?? (value as Markup)?.Text
        ?? throw TemplateException.Type($"a filter or test is named by a text, not by {TypeNames.Of(value)}");
}
