using System.Text;
using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Requests;

/// <summary>Items into ids, by the division rules of the API.</summary>
internal static class ScoreEncoder
{
    /// <exception cref="InvalidFieldsException">An item leaves nothing to score after, or its turns are in no order that the format can render.</exception>
    public static EncodedScore Encode(ScoreItem item, int index, bool beginsText, PromptEncoder encoder)
    {
        try
        {
            var encoded = Encode(item, beginsText, encoder);
            return encoded.Context.Length > 0 && (beginsText || encoded.Continuation.Length > 0 || !IsEmpty(item.Context))
                ? encoded
                : throw new InvalidFieldsException([new FieldProblem(
                    $"items[{index}].continuation", "must have at least two tokens after an empty context without beginning-of-text: the first is not scored")]);
        }
        catch (ConversationException exception)
        {
            throw new InvalidFieldsException([new FieldProblem($"items[{index}].conversation.turns[{exception.Turn}]", exception.Problem)]);
        }
    }

    private static EncodedScore Encode(ScoreItem item, bool beginsText, PromptEncoder encoder)
    {
        if (item.Target is ScoreTargetText.Ids ids)
        {
            return AfterContext(ids.TokenIds, item.Context, beginsText, encoder) with { Labels = item.Labels };
        }
        var text = ((ScoreTargetText.Text)item.Target).Value;
        var encoded = item.Context is PromptInput.RawText raw
            ? Of(encoder.EncodeJoint(raw.Text, text, beginsText))
            : new EncodedScore(PromptIds.Encode(item.Context, encoder), encoder.EncodeResponse(text));
        return encoded with { Labels = item.Labels, CharacterCount = text.EnumerateRunes().Count(), ByteCount = Encoding.UTF8.GetByteCount(text) };
    }

    private static bool IsEmpty(PromptInput context) => context is PromptInput.RawText raw && raw.Text.TrimEnd(' ').Length == 0;

    private static EncodedScore Of(JointIds ids) => new(ids.Context, ids.Continuation) { IsMerged = ids.IsMerged };

    /// <summary>An empty context is the token that begins a text, so that the first token of the continuation has something before it.</summary>
    private static EncodedScore AfterContext(int[] continuation, PromptInput context, bool beginsText, PromptEncoder encoder)
    {
        if (context is not PromptInput.RawText raw)
        {
            return new EncodedScore(PromptIds.Encode(context, encoder), continuation);
        }
        if (raw.Text.Length == 0 && !beginsText)
        {
            return new EncodedScore(continuation[..Math.Min(1, continuation.Length)], continuation[Math.Min(1, continuation.Length)..]);
        }
        // Trailing spaces stay: ids after them cannot take them over.
        return new EncodedScore(raw.Text.Length == 0 ? encoder.EncodeJoint("", "").Context : encoder.EncodeRaw(raw.Text, beginsText), continuation);
    }
}
