using System.Collections.Frozen;

namespace InstructTune.Modeling.Templates;

internal delegate object? FilterFunction(object? value, CallArguments arguments, Run run);

/// <summary>The filters by name. Those of jinja2 that need chance or make links are refused: `random`, `urlize`.</summary>
internal static class FilterTable
{
    private static readonly string[] _refused = ["random", "urlize"];

    private static readonly FrozenDictionary<string, FilterFunction> _filters =
        TextFilters.All.Concat(SequenceFilters.All).Concat(SelectFilters.All).Concat(NumberFilters.All).Concat(MarkupFilters.All)
            .ToFrozenDictionary(StringComparer.Ordinal);

    public static bool Contains(string name) => _filters.ContainsKey(name);

    public static string Missing(string name) => _refused.Contains(name) ? $"the filter '{name}' is not offered in chat templates" : $"No filter named '{name}'.";

    public static object? Apply(string name, object? value, CallArguments arguments, Run run) => _filters.TryGetValue(name, out var filter)
        ? filter(value, arguments, run)
        : throw new TemplateException(TemplateFault.Runtime, Missing(name));

    /// <summary>The text of a value, as jinja2's `soft_str`.</summary>
    public static string Text(object? value, Run run) => run.Print(value);

    /// <summary>The same kind of text as went in: what was safe stays safe.</summary>
    public static object? Like(object? value, string text) => value is Markup ? new Markup(text) : text;
}
