using System.Text;
using InstructTune.Modeling.Templates;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>
/// Conversations through a chat template. Control tokens come from the template alone, the beginning-of-text token among them: none is
/// added, so that none is doubled.
/// </summary>
internal sealed class ChatLayout(ChatFormat format, ChatTemplate template, Tokenizer tokenizer) : IPromptLayout
{
    private readonly TurnRenderer _renderer = new(template, tokenizer);

    private IReadOnlyList<int>? _endOfTurn;

    public IReadOnlyList<int> EndOfTurnIds => _endOfTurn ??= FindEndOfTurn();

    public int[] Response(string text) => tokenizer.EncodeContinuation(text);

    public RenderedPrompt Instruction(string instruction, string input, string? response)
    {
        ChatTurn user = new(ChatTurn.User, ChatFormat.TurnOf(instruction, input));
        return Conversation(response is null ? [user] : [user, new(ChatTurn.Assistant, response)], forAnswer: response is null);
    }

    public RenderedPrompt Conversation(IReadOnlyList<ChatTurn> turns, bool forAnswer)
    {
        if (turns.Count == 0)
        {
            throw new ConversationException(0, "is missing: a conversation needs a user turn");
        }

        if (forAnswer && turns[^1].Role == ChatTurn.Assistant)
        {
            throw new ConversationException(turns.Count - 1, "must have the role `user`: there is nothing to answer after an answer");
        }

        var text = _renderer.Render(turns, forAnswer);
        var answers = AnswerSpans.Of(_renderer, turns, text, template.SpeaksOfGeneration);
        var cuts = format.Boundary == PromptBoundary.Split ? answers.Select(answer => answer.Begin) : [];
        var spans = answers.Where(answer => answer.IsTrained).SelectMany(answer => answer.Spans).ToArray();
        var encoded = new MarkedEncoder(tokenizer).Encode(text, [.. cuts], spans);
        return forAnswer || EndsTurn(encoded) ? encoded : WithEnd(encoded, turns[^1]);
    }

    // The first control token after an answer, as this template ends it.
    private int[] FindEndOfTurn()
    {
        try
        {
            var whole = Conversation([new(ChatTurn.User, "a"), new(ChatTurn.Assistant, "b")], forAnswer: false);
            var last = Array.LastIndexOf(whole.Trained, value: true);
            return last >= 0 && tokenizer.IsSpecial(whole.Ids[last]) ? [whole.Ids[last]] : [];
        }
        catch (ConversationException)
        {
            return [];
        }
    }

    private bool EndsTurn(RenderedPrompt encoded)
    {
        var last = Array.FindLastIndex(encoded.Ids, id => Encoding.UTF8.GetString(tokenizer.TokenBytes(id)).Trim().Length > 0);
        return last < 0 || tokenizer.IsSpecial(encoded.Ids[last]);
    }

    // A template that does not end the last answer leaves it to whoever trains.
    private RenderedPrompt WithEnd(RenderedPrompt encoded, ChatTurn last)
    {
        if (tokenizer.EndOfTextIds.Count == 0)
        {
            throw new InvalidOperationException("The tokenizer names no end-of-text token: set `eos_token` in tokenizer_config.json.");
        }

        var end = tokenizer.EndOfTextIds[0];
        return new(
            encoded.Text + Encoding.UTF8.GetString(tokenizer.TokenBytes(end)),
            [.. encoded.Ids, end],
            [.. encoded.Trained, last.Role == ChatTurn.Assistant && (last.Trained ?? true)]);
    }
}
