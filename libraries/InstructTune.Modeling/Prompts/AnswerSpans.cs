using InstructTune.Modeling.Templates;

namespace InstructTune.Modeling.Prompts;

/// <summary>An answer in a rendered conversation.</summary>
/// <param name="Begin">Where serving would begin to generate it.</param>
/// <param name="Spans">What bears its loss.</param>
/// <param name="IsTrained">Whether it does.</param>
internal sealed record AnswerSpan(int Begin, IReadOnlyList<TextSpan> Spans, bool IsTrained);

/// <summary>
/// Where spans that bear loss are found: in the template's `generation` blocks, or where it has none between the prompt that serving would
/// render and the end of the turn. Never by looking for a marker.
/// </summary>
internal static class AnswerSpans
{
    public static IReadOnlyList<AnswerSpan> Of(TurnRenderer renderer, IReadOnlyList<ChatTurn> turns, MarkedText whole, bool hasBlocks)
    {
        int[] answers = [.. turns.Index().Where(turn => turn.Item.Role == ChatTurn.Assistant).Select(turn => turn.Index)];
        if (hasBlocks && whole.Generated.Count != answers.Length && answers.Any(index => turns[index].Trained is false))
        {
            throw new ConversationException(answers[0], "cannot be told apart from the others: the chat template does not mark each answer once");
        }

        return [.. answers.Select((turn, number) => One(renderer, turns, turn, whole, hasBlocks ? SpansOf(whole, answers.Length, number) : null))];
    }

    // Where a template marks more or fewer stretches than there are answers, the first answer has them all.
    private static IReadOnlyList<TextSpan> SpansOf(MarkedText whole, int answers, int number) =>
        whole.Generated.Count == answers ? [whole.Generated[number]] : number == 0 ? whole.Generated : [];

    private static AnswerSpan One(TurnRenderer renderer, IReadOnlyList<ChatTurn> turns, int turn, MarkedText whole, IReadOnlyList<TextSpan>? marked)
    {
        var trained = turns[turn].Trained ?? true;
        var prompt = PromptOf(renderer, turns, turn);
        var begin = prompt is not null && whole.Text.StartsWith(prompt, StringComparison.Ordinal) ? prompt.Length : -1;
        if (marked is not null)
        {
            return new(begin >= 0 ? begin : marked.Count > 0 ? marked[0].Start : whole.Text.Length, marked, trained);
        }

        var after = renderer.Render(turns.Take(turn + 1), forAnswer: false).Text;
        if (begin < 0 || !whole.Text.StartsWith(after, StringComparison.Ordinal))
        {
            throw new ConversationException(turn, "cannot be found in the rendered text: the chat template has no generation blocks and changes earlier turns");
        }

        // The line feed after an end-of-turn token belongs to the layout.
        var end = Math.Max(begin, after.TrimEnd().Length);
        return new(begin, [new(begin, end)], trained);
    }

    private static string? PromptOf(TurnRenderer renderer, IReadOnlyList<ChatTurn> turns, int turn)
    {
        try
        {
            return turn == 0 ? null : renderer.Render(turns.Take(turn), forAnswer: true).Text;
        }
        catch (ConversationException)
        {
            return null;
        }
    }
}
