namespace InstructTune.Modeling.Templates;

/// <summary>The names that every template has.</summary>
internal static class GlobalTable
{
    public static Scope Create()
    {
        var scope = new Scope(null);
        scope.Set("range", new PyFunction(Range));
        scope.Set("dict", new PyFunction(Dict));
        scope.Set("namespace", new PyFunction(Namespace));
        scope.Set("joiner", new PyFunction((a, _) => new Joiner(a.Bind("joiner", 0, "sep").At(0, ", "))));
        scope.Set("cycler", new PyFunction((a, _) => a.Positional.Count > 0
            ? new Cycler(a.Positional)
            : throw new TemplateException(TemplateFault.Runtime, "at least one item has to be provided")));
        scope.Set("lipsum", new PyFunction((_, _) => throw new TemplateException(TemplateFault.Refused, "`lipsum` is not offered in chat templates")));
        scope.Set("self", new PyNamespace());
        scope.Set("raise_exception", new PyFunction((a, run) => throw new TemplateException(
            TemplateFault.Raised, run.Print(a.Bind("raise_exception", 1, "message").At(0)))));
        scope.Set("strftime_now", new PyFunction((a, run) =>
            TimeFormat.Of(run.Clock.GetLocalNow(), a.Bind("strftime_now", 1, "format").Text(0), run.Meter)));
        return scope;
    }

    private static object? Range(CallArguments arguments, Run run)
    {
        var bound = arguments.Named.Count > 0
            ? throw TemplateException.Type("range() takes no keyword arguments")
            : arguments.Bind("range", 1, "start", "stop", "step");
        var step = bound.Number(2, 1);
        if (step == 0)
        {
            throw TemplateException.Value("range() arg 3 must not be zero");
        }

        var range = bound.Has(1) ? new PyRange(bound.Number(0), bound.Number(1), step) : new PyRange(0, bound.Number(0), 1);
        return range.Count > run.Meter.Limits.RangeLength
            ? throw TemplateException.Limit($"Range too big. Ranges have at most {run.Meter.Limits.RangeLength} numbers.")
            : range;
    }

    private static object? Dict(CallArguments arguments, Run run)
    {
        var dict = new PyDict();
        foreach (var (key, value) in Pairs(arguments.Positional.Count > 1 ? throw TemplateException.Type("dict expected at most 1 argument") : arguments, run))
        {
            dict.Set(key, value);
        }

        return dict;
    }

    private static object? Namespace(CallArguments arguments, Run run)
    {
        var space = new PyNamespace();
        foreach (var (key, value) in Pairs(arguments, run))
        {
            space.Set(key as string ?? throw TemplateException.Type("a namespace has names that are texts"), value);
        }

        return space;
    }

    private static IEnumerable<KeyValuePair<object?, object?>> Pairs(CallArguments arguments, Run run)
    {
        var given = arguments.Positional.Count == 0 ? [] : arguments.Positional[0] is PyDict dict
            ? dict.Pairs
            : Sequences.Items(arguments.Positional[0], run.Meter).Select(item => Sequences.Listed(item, run.Meter) is [var key, var value]
                ? KeyValuePair.Create(key, value)
                : throw TemplateException.Value("dictionary update sequence element does not have 2 items"));
        return given.Concat(arguments.Named.Select(pair => KeyValuePair.Create((object?)pair.Key, pair.Value)));
    }
}
