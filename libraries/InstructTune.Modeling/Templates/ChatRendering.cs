namespace InstructTune.Modeling.Templates;

/// <summary>
/// Conversations through a template, as transformers prepares them: keys without a value are left out, the three spellings of a message's
/// reasoning are copied to each other, `tools` and `documents` are always there.
/// </summary>
public static class ChatRendering
{
    private const string EndTag = "CONTINUE_FINAL_MESSAGE_TAG ";

    private static readonly string[] _reasoning = ["reasoning_content", "reasoning", "thinking"];

    /// <summary>Renders a conversation.</summary>
    /// <exception cref="TemplateException">The template failed, or does not print the message that is to be continued.</exception>
    public static RenderedTemplate Render(this ChatTemplate template, ChatTemplateInput input, TimeProvider clock)
    {
        var messages = TemplateValues.Of(input.Messages) is PyList list
            ? list.Items.Select(Prepared).ToArray()
            : throw TemplateException.Type("messages must be a list");
        if (input.ContinueFinalMessage)
        {
            Tag(messages);
        }

        KeyValuePair<string, object?>[] variables =
        [
            new("messages", new PyList(messages)),
            new("tools", input.Tools is { } tools ? TemplateValues.Of(tools) : null),
            new("documents", input.Documents is { } documents ? TemplateValues.Of(documents) : null),
            new("add_generation_prompt", input.AddGenerationPrompt),
            .. input.Variables.Select(pair => KeyValuePair.Create(pair.Key, TemplateValues.Of(pair.Value))),
        ];
        var rendered = template.RenderValues(variables, clock);
        return input.ContinueFinalMessage ? Cut(rendered) : rendered;
    }

    private static object? Prepared(object? message)
    {
        if (message is not PyDict dict)
        {
            return message;
        }

        var prepared = new PyDict(dict.Pairs.Where(pair => pair.Value is not null));
        var known = Array.Find(_reasoning, prepared.Contains);
        if (known is not null && prepared.TryGet(known, out var reasoning))
        {
            foreach (var other in _reasoning.Where(key => !prepared.Contains(key)))
            {
                prepared.Set(other, reasoning);
            }
        }

        return prepared;
    }

    // Marks the end of the last message.
    private static void Tag(object?[] messages)
    {
        if (messages is not [.., PyDict last] || !last.TryGet("content", out var content))
        {
            throw TemplateException.Value("continue_final_message is set but there is no final message to continue");
        }

        var copy = new PyDict(last.Pairs);
        messages[^1] = copy;
        if (content is string text)
        {
            copy.Set("content", text + EndTag);
            return;
        }

        var parts = content is PyList list ? list.Items.ToArray() : [];
        var index = Array.FindLastIndex(parts, part => part is PyDict dict && dict.Contains("text"));
        if (index < 0 || parts[index] is not PyDict found || !found.TryGet("text", out var value) || value is not string final)
        {
            throw TemplateException.Value("continue_final_message is set but we could not find any text to continue in the final message!");
        }

        var part = new PyDict(found.Pairs);
        part.Set("text", final + EndTag);
        parts[index] = part;
        copy.Set("content", new PyList(parts));
    }

    private static RenderedTemplate Cut(RenderedTemplate rendered)
    {
        var tag = WhiteSpace.TrimEnd(EndTag);
        var at = rendered.Text.LastIndexOf(tag, StringComparison.Ordinal);
        if (at < 0)
        {
            throw TemplateException.Value(
                "continue_final_message is set but the final message does not appear in the chat after applying the chat template!");
        }

        // The template kept the space after the tag, or it trims: then the message's own space at its end goes too.
        var text = rendered.Text.AsSpan(at).StartsWith(EndTag, StringComparison.Ordinal) ? rendered.Text[..at] : WhiteSpace.TrimEnd(rendered.Text[..at]);
        return new(text, [.. rendered.Generated.Select(span => new TextSpan(Math.Min(span.Start, text.Length), Math.Min(span.End, text.Length)))]);
    }
}
