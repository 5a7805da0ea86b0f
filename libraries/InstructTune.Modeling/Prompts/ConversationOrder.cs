namespace InstructTune.Modeling.Prompts;

/// <summary>An optional system turn, then user and assistant by turns.</summary>
internal static class ConversationOrder
{
    public static void Check(IReadOnlyList<ChatTurn> turns)
    {
        if (turns.Count == 0)
        {
            throw new ConversationException(0, "is missing: a conversation needs a user turn");
        }

        var start = turns[0].Role == ChatTurn.System ? 1 : 0;
        if (turns.Count == start)
        {
            throw new ConversationException(start, "is missing: a conversation needs a user turn");
        }

        for (var i = start; i < turns.Count; i++)
        {
            var expected = (i - start) % 2 == 0 ? ChatTurn.User : ChatTurn.Assistant;
            if (turns[i].Role != expected)
            {
                throw new ConversationException(i, $"must have the role `{expected}`, not `{turns[i].Role}`: after an optional `system`, user and assistant take turns");
            }
        }
    }
}
