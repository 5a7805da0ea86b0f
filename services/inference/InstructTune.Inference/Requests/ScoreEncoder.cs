using System.Text;
using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Requests;

/// <summary>Items into ids, by the division rules of the API.</summary>
internal static class ScoreEncoder
{
    public static EncodedScore Encode(ScoreItem item, PromptEncoder encoder)
    {
        if (item.Target is ScoreTargetText.Ids ids)
        {
            return new EncodedScore(ContextIds(item.Context, encoder), ids.TokenIds, 0, 0, 0);
        }
        var text = ((ScoreTargetText.Text)item.Target).Value;
        var (context, continuation) = item.Context is PromptInput.RawText raw
            ? encoder.EncodeJoint(raw.Text, text)
            : (PromptIds.Encode(item.Context, encoder), encoder.EncodeResponse(text));
        return new EncodedScore(context, continuation, text.EnumerateRunes().Count(), Encoding.UTF8.GetByteCount(text), 0);
    }

    /// <summary>An empty context is the token that begins a text, so that the first token of the continuation has something before it.</summary>
    private static int[] ContextIds(PromptInput context, PromptEncoder encoder) =>
        context is PromptInput.RawText { Text: "" } ? encoder.EncodeJoint("", "").Context : PromptIds.Encode(context, encoder);
}
