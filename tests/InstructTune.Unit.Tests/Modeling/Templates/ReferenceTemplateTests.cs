using System.Diagnostics;
using System.Text.Json;
using InstructTune.Modeling.Templates;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Modeling.Templates;

/// <summary>Against what jinja2 and transformers made of the same templates.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ReferenceTemplateTests
{
    [Fact]
    public void Every_rendering_of_a_published_template_is_the_reference_text_or_its_fault()
    {
        var templates = ReferenceTemplates.ById("templates.jsonl", "template");
        var conversations = ReferenceTemplates.ById("conversations.jsonl", "conversation");
        var parsed = templates.ToDictionary(pair => pair.Key, pair => ChatTemplate.Parse(pair.Value.GetProperty("source").GetString()!));
        AssertNone("templates renderings", ReferenceTemplates.Rows("renderings.jsonl"), row => row.GetProperty("template") + "/" + row.GetProperty("conversation"), row =>
        {
            var id = row.GetProperty("template").GetString()!;
            var conversation = row.TryGetProperty("context", out var own) ? own : conversations[row.GetProperty("conversation").GetString()!];
            var input = Input(conversation, templates[id].GetProperty("special_tokens"));
            return ReferenceTemplates.Difference(row, () => parsed[id].Render(input, ReferenceTemplates.Clock));
        });
    }

    [Fact]
    public void Without_the_preparation_of_messages_a_template_gives_what_jinja2_alone_gives()
    {
        var templates = ReferenceTemplates.ById("templates.jsonl", "template");
        var conversations = ReferenceTemplates.ById("conversations.jsonl", "conversation");
        var rows = ReferenceTemplates.Rows("renderings.jsonl").Where(row => row.TryGetProperty("jinja_only", out _)).ToArray();
        AssertNone("templates jinja2 alone", rows, row => row.GetProperty("template") + "/" + row.GetProperty("conversation"), row =>
        {
            var template = templates[row.GetProperty("template").GetString()!];
            var conversation = row.TryGetProperty("context", out var own) ? own : conversations[row.GetProperty("conversation").GetString()!];
            var input = Input(conversation, template.GetProperty("special_tokens"));
            using var none = JsonDocument.Parse("null");
            using var flag = JsonDocument.Parse(input.AddGenerationPrompt ? "true" : "false");
            KeyValuePair<string, JsonElement>[] variables =
            [
                new("messages", input.Messages),
                new("tools", input.Tools ?? none.RootElement),
                new("documents", input.Documents ?? none.RootElement),
                new("add_generation_prompt", flag.RootElement),
                .. input.Variables,
            ];
            return ReferenceTemplates.Difference(
                row.GetProperty("jinja_only"),
                () => ChatTemplate.Parse(template.GetProperty("source").GetString()!).Render(variables, ReferenceTemplates.Clock));
        });
    }

    [Fact]
    public void Every_feature_of_the_language_gives_the_reference_text_or_its_fault() =>
        AssertNone("templates features", ReferenceTemplates.Rows("snippets.jsonl"), row => row.GetProperty("id") + " " + row.GetProperty("feature"), row =>
            ReferenceTemplates.Difference(row, () => Render(row)));

    [Fact]
    public void Every_hostile_template_is_refused_stopped_or_harmless_and_never_slow() =>
        AssertNone("templates hostile", ReferenceTemplates.Rows("hostile.jsonl"), row => row.GetProperty("id").GetString()!, row =>
        {
            var clock = Stopwatch.StartNew();
            var (parsed, fault, text) = Outcome(row);
            var holds = row.GetProperty("must").GetString() switch
            {
                "refuse_parse" => !parsed,
                "refuse_run" or "refuse" => fault is not null,
                "refuse_run_or_empty" => fault is not null || text is "" or "[Undefined]",
                "limit" => fault is TemplateFault.Limit,
                "limit_or_refuse" => fault is not null,
                "limit_or_inert" => fault is null or TemplateFault.Limit,
                "inert" => fault is null,
                _ => true,
            };
            return !holds ? $"must {row.GetProperty("must")}: {fault} {text}"
                : clock.Elapsed > TimeSpan.FromSeconds(10) ? $"took {clock.Elapsed}" : null;
        });

    private static (bool Parsed, TemplateFault? Fault, string? Text) Outcome(JsonElement row)
    {
        var parsed = false;
        try
        {
            var template = ChatTemplate.Parse(ReferenceTemplates.Source(row.GetProperty("template")));
            parsed = true;
            return (true, null, template.Render(ReferenceTemplates.Pairs(row.GetProperty("context")), ReferenceTemplates.Clock).Text);
        }
        catch (TemplateException exception)
        {
            return (parsed, exception.Fault, null);
        }
    }

    private static RenderedTemplate Render(JsonElement row) =>
        ChatTemplate.Parse(row.GetProperty("template").GetString()!).Render(ReferenceTemplates.Pairs(row.GetProperty("context")), ReferenceTemplates.Clock);

    private static ChatTemplateInput Input(JsonElement conversation, JsonElement specialTokens) => new()
    {
        Messages = conversation.GetProperty("messages"),
        Tools = Present(conversation, "tools"),
        Documents = Present(conversation, "documents"),
        AddGenerationPrompt = Present(conversation, "add_generation_prompt") is { ValueKind: JsonValueKind.True },
        ContinueFinalMessage = Present(conversation, "continue_final_message") is { ValueKind: JsonValueKind.True },
        Variables = ReferenceTemplates.Pairs(specialTokens)
            .Concat(Present(conversation, "kwargs") is { } more ? ReferenceTemplates.Pairs(more) : [])
            .GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Last().Value),
    };

    private static JsonElement? Present(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static void AssertNone(string family, IReadOnlyList<JsonElement> rows, Func<JsonElement, string> name, Func<JsonElement, string?> difference)
    {
        Assert.NotEmpty(rows);
        var wrong = new List<string>();
        foreach (var row in rows)
        {
            var found = difference(row);
            ParityLog.IsEqual(family, name(row), found is null);
            wrong.AddRange(found is null ? [] : [$"{name(row)}: {found}"]);
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {rows.Count} differ:\n{string.Join('\n', wrong)}");
    }
}
