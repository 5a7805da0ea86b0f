using System.Text;
using System.Text.Json;
using InstructTune.Modeling.Templates;
using InstructTune.Testing;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Modeling.Templates;

/// <summary>Templates and renderings of jinja2 and transformers.</summary>
internal static class ReferenceTemplates
{
    /// <summary>Where the clock of the reference stood.</summary>
    public static FakeTimeProvider Clock
    {
        get
        {
            var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 9, 7, 5, 4, TimeSpan.Zero));
            clock.SetLocalTimeZone(TimeZoneInfo.Utc);
            return clock;
        }
    }

    public static IReadOnlyList<JsonElement> Rows(string file) =>
        [.. File.ReadLines(Path.Combine(FixtureFolder.Require("templates"), file)).Select(line => JsonDocument.Parse(line).RootElement)];

    public static IReadOnlyDictionary<string, JsonElement> ById(string file, string id) =>
        Rows(file).ToDictionary(row => row.GetProperty(id).GetString()!, StringComparer.Ordinal);

    public static IEnumerable<KeyValuePair<string, JsonElement>> Pairs(JsonElement element) =>
        element.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, property.Value));

    /// <summary>A template that is told in pieces, some of them repeated.</summary>
    public static string Source(JsonElement template) => template.ValueKind == JsonValueKind.String
        ? template.GetString()!
        : string.Concat(template.EnumerateArray().Select(piece => piece.ValueKind == JsonValueKind.String
            ? piece.GetString()
            : new StringBuilder().Insert(0, piece[0].GetString()!, piece[1].GetInt32()).ToString()));

    /// <summary>The kind of fault that Python's class is.</summary>
    public static TemplateFault FaultOf(JsonElement error) => error.GetProperty("type").GetString() switch
    {
        "TemplateError" => TemplateFault.Raised,
        "UndefinedError" => TemplateFault.Undefined,
        "TypeError" => TemplateFault.Type,
        "ValueError" or "FilterArgumentError" => TemplateFault.Value,
        "SecurityError" => TemplateFault.Refused,
        "TemplateSyntaxError" or "TemplateAssertionError" or "SyntaxError" => TemplateFault.Syntax,
        "ZeroDivisionError" => TemplateFault.ZeroDivision,
        "OverflowError" or "RecursionError" or "MemoryError" => TemplateFault.Limit,
        _ => TemplateFault.Runtime,
    };

    /// <summary>What is wrong with an outcome, or null.</summary>
    public static string? Difference(JsonElement expected, Func<RenderedTemplate> render)
    {
        try
        {
            var rendered = render();
            return expected.TryGetProperty("error", out var missed)
                ? $"rendered {rendered.Text.Length} characters in place of {missed}"
                : Difference(expected, rendered);
        }
        catch (TemplateException exception)
        {
            if (!expected.TryGetProperty("error", out var error))
            {
                return $"{exception.Fault}: {exception.Message}";
            }

            var same = exception.Fault == FaultOf(error) && (exception.Fault != TemplateFault.Raised || exception.Problem == error.GetProperty("message").GetString());
            return same ? null : $"{exception.Fault}: {exception.Message} in place of {error}";
        }
    }

    private static string? Difference(JsonElement expected, RenderedTemplate rendered)
    {
        var text = expected.GetProperty("text").GetString()!;
        if (text != rendered.Text)
        {
            var at = text.AsSpan().CommonPrefixLength(rendered.Text);
            return $"at {at}: `{Around(rendered.Text, at)}` in place of `{Around(text, at)}`";
        }

        if (!expected.TryGetProperty("generation_spans", out var spans))
        {
            return null;
        }

        var wanted = string.Join(' ', spans.EnumerateArray().Select(span => $"{span[0]}-{span[1]}"));
        var found = string.Join(' ', rendered.Generated.Select(span => $"{Points(text, span.Start)}-{Points(text, span.End)}"));
        return wanted == found ? null : $"spans {found} in place of {wanted}";
    }

    private static string Around(string text, int at) => text[Math.Max(0, at - 30)..Math.Min(text.Length, at + 60)];

    private static int Points(string text, int at) => text[..at].EnumerateRunes().Count();
}
