using System.Collections.Frozen;
using System.Numerics;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>The methods of texts.</summary>
internal static class TextMethods
{
    private static readonly FrozenDictionary<string, Func<string, CallArguments, Run, object?>> _methods =
        new Dictionary<string, Func<string, CallArguments, Run, object?>>(StringComparer.Ordinal)
        {
            ["upper"] = (text, a, run) => Mapped(text, a, run, "upper", TextCase.Upper),
            ["lower"] = (text, a, run) => Mapped(text, a, run, "lower", TextCase.Lower),
            ["casefold"] = (text, a, run) => Mapped(text, a, run, "casefold", t => TextCase.Lower(TextCase.Lower(t).Replace("\u00df", "ss", StringComparison.Ordinal))),
            ["capitalize"] = (text, a, run) => Mapped(text, a, run, "capitalize", TextCase.Capitalize),
            ["title"] = (text, a, run) => Mapped(text, a, run, "title", TextCase.Title),
            ["swapcase"] = (text, a, run) => Mapped(text, a, run, "swapcase", TextCase.SwapCase),
            ["strip"] = (text, a, _) => TextTrim.Both(text, Characters(a, "strip")),
            ["lstrip"] = (text, a, _) => TextTrim.Start(text, Characters(a, "lstrip")),
            ["rstrip"] = (text, a, _) => TextTrim.End(text, Characters(a, "rstrip")),
            ["split"] = (text, a, run) => TextSplit.Split(text, a, run.Meter),
            ["rsplit"] = (text, a, run) => TextSplit.SplitRight(text, a, run.Meter),
            ["splitlines"] = (text, a, run) => TextSplit.Lines(text, a.Bind("splitlines", 0, "keepends").Flag(0), run.Meter),
            ["partition"] = (text, a, _) => TextSplit.Partition(text, Separator(a, "partition"), fromRight: false),
            ["rpartition"] = (text, a, _) => TextSplit.Partition(text, Separator(a, "rpartition"), fromRight: true),
            ["startswith"] = (text, a, run) => TextSearch.Affix(text, a, run.Meter, atStart: true),
            ["endswith"] = (text, a, run) => TextSearch.Affix(text, a, run.Meter, atStart: false),
            ["find"] = (text, a, run) => (BigInteger)TextSearch.Find(text, a, run.Meter, last: false),
            ["rfind"] = (text, a, run) => (BigInteger)TextSearch.Find(text, a, run.Meter, last: true),
            ["index"] = (text, a, run) => (BigInteger)TextSearch.Index(text, a, run.Meter, last: false),
            ["rindex"] = (text, a, run) => (BigInteger)TextSearch.Index(text, a, run.Meter, last: true),
            ["count"] = (text, a, run) => (BigInteger)TextSearch.Count(text, a, run.Meter),
            ["replace"] = Replace,
            ["join"] = Join,
            ["format"] = (text, a, run) => BraceFormat.Apply(text, a, run),
            ["format_map"] = FormatMap,
            ["removeprefix"] = (text, a, _) => Without(text, a.Bind("removeprefix", 1, "prefix").Text(0), atStart: true),
            ["removesuffix"] = (text, a, _) => Without(text, a.Bind("removesuffix", 1, "suffix").Text(0), atStart: false),
            ["zfill"] = (text, a, run) => TextPad.Zeros(text, a.Bind("zfill", 1, "width").Number(0), run.Meter),
            ["center"] = (text, a, run) => TextPad.Of(text, a.Bind("center", 1, "width", "fillchar"), '^', run.Meter),
            ["ljust"] = (text, a, run) => TextPad.Of(text, a.Bind("ljust", 1, "width", "fillchar"), '<', run.Meter),
            ["rjust"] = (text, a, run) => TextPad.Of(text, a.Bind("rjust", 1, "width", "fillchar"), '>', run.Meter),
            ["expandtabs"] = (text, a, run) => TextPad.Tabs(text, a.Bind("expandtabs", 0, "tabsize").Number(0, 8), run.Meter),
            ["isdigit"] = (text, a, _) => TextKinds.All(text, a, TextKinds.IsDigit),
            ["isdecimal"] = (text, a, _) => TextKinds.All(text, a, TextKinds.IsDecimal),
            ["isnumeric"] = (text, a, _) => TextKinds.All(text, a, TextKinds.IsNumeric),
            ["isalpha"] = (text, a, _) => TextKinds.All(text, a, TextKinds.IsAlpha),
            ["isalnum"] = (text, a, _) => TextKinds.All(text, a, part => TextKinds.IsAlpha(part) || TextKinds.IsNumeric(part)),
            ["isspace"] = (text, a, _) => TextKinds.All(text, a, part => part.Length == 1 && WhiteSpace.Is(part[0])),
            ["isprintable"] = (text, a, _) => text.Length == 0 || TextKinds.All(text, a, Printable.Is),
            ["isascii"] = (text, _, _) => Ascii.IsValid(text),
            ["isupper"] = (text, _, _) => TextKinds.IsUpper(text),
            ["islower"] = (text, _, _) => TextKinds.IsLower(text),
            ["istitle"] = (text, _, _) => text.Length > 0 && TextCase.Title(text) == text && CodePoints.Split(text).Any(TextCase.IsCased),
            ["isidentifier"] = (text, _, _) => TextKinds.IsIdentifier(text),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    public static PyFunction? Find(string text, string name) =>
        _methods.TryGetValue(name, out var method) ? new PyFunction((arguments, run) => method(text, arguments, run)) : null;

    private static string Mapped(string text, CallArguments arguments, Run run, string name, Func<string, string> map)
    {
        arguments.Bind(name, 0);
        run.Meter.Text(text.Length * 2L);
        return map(text);
    }

    private static string? Characters(CallArguments arguments, string name) =>
        arguments.Bind(name, 0, "chars") is var bound && bound.At(0) is null ? null : bound.Text(0);

    private static string Separator(CallArguments arguments, string name) => arguments.Bind(name, 1, "sep").Text(0) is { Length: > 0 } separator
        ? separator
        : throw TemplateException.Value("empty separator");

    private static string Replace(string text, CallArguments arguments, Run run)
    {
        var bound = arguments.Bind("replace", 2, "old", "new", "count");
        return TextSearch.Replace(text, bound.Text(0), bound.Text(1), bound.Number(2, -1), run.Meter);
    }

    private static string Join(string text, CallArguments arguments, Run run)
    {
        var result = new StringBuilder();
        var first = true;
        foreach (var item in Sequences.Items(arguments.Bind("join", 1, "iterable").At(0), run.Meter))
        {
            var part = item as string ?? (item as Markup)?.Text
                ?? throw TemplateException.Type($"sequence item: expected str instance, {TypeNames.Of(item)} found");
            run.Meter.Text(part.Length + text.Length);
            result.Append(first ? "" : text).Append(part);
            first = false;
        }

        run.Meter.Text(result.Length);
        return result.ToString();
    }

    private static string FormatMap(string text, CallArguments arguments, Run run) => BraceFormat.Apply(
        text,
        new([], arguments.Bind("format_map", 1, "mapping").At(0) is PyDict dict
            ? [.. dict.Pairs.Select(pair => KeyValuePair.Create(run.Print(pair.Key), pair.Value))]
            : throw TemplateException.Type("format_map() needs a mapping")),
        run);

    private static string Without(string text, string affix, bool atStart)
    {
        if (affix.Length == 0 || affix.Length > text.Length)
        {
            return text;
        }

        return atStart
            ? text.StartsWith(affix, StringComparison.Ordinal) ? text[affix.Length..] : text
            : text.EndsWith(affix, StringComparison.Ordinal) ? text[..^affix.Length] : text;
    }
}
