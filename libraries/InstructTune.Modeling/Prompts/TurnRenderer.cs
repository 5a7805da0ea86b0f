using System.Text.Json;
using InstructTune.Modeling.Templates;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>Turns through a template, with the tokens that the tokenizer names as its variables.</summary>
internal sealed class TurnRenderer(ChatTemplate template, Tokenizer tokenizer)
{
    private readonly Dictionary<string, JsonElement> _variables = new(
        tokenizer.NamedTokens.Select(pair => KeyValuePair.Create(pair.Key, JsonSerializer.SerializeToElement(pair.Value)))
            .Append(KeyValuePair.Create("adds_bos", JsonSerializer.SerializeToElement(tokenizer.BeginOfTextId is not null))),
        StringComparer.Ordinal);

    /// <exception cref="ConversationException">The template refuses the conversation.</exception>
    public MarkedText Render(IEnumerable<ChatTurn> turns, bool forAnswer)
    {
        var control = new ControlText(tokenizer.ControlTokens);
        var messages = turns.Select(turn => new { role = turn.Role, content = control.Hide(turn.Text) }).ToArray();
        try
        {
            return control.Reveal(template.Render(
                new ChatTemplateInput { Messages = JsonSerializer.SerializeToElement(messages), AddGenerationPrompt = forAnswer, Variables = _variables },
                TimeProvider.System));
        }
        catch (TemplateException exception)
        {
            throw new ConversationException(messages.Length - 1, $"is refused by the chat template: {exception.Message}");
        }
    }
}
