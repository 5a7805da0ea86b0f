using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>A text as ids, and which of them carry loss.</summary>
/// <param name="Ids">Token ids.</param>
/// <param name="Trained">For each id whether it is part of a response.</param>
public sealed record EncodedExample(int[] Ids, bool[] Trained);

/// <summary>
/// Prompts as ids, in training and serving alike. Prompt and response are encoded apart, so that training sees the prompt exactly as
/// serving makes it. Text never becomes a special token.
/// </summary>
/// <param name="format">Of the model.</param>
/// <param name="tokenizer">Of the model.</param>
public sealed class PromptEncoder(PromptFormat format, Tokenizer tokenizer)
{
    /// <summary>The format that renders.</summary>
    public PromptFormat Format => format;

    /// <summary>The ids before the response to an instruction.</summary>
    public int[] EncodePrompt(string instruction, string input) => EncodeRaw(format.RenderPrompt(instruction, input));

    /// <summary>The ids before the next response of a conversation.</summary>
    /// <exception cref="ConversationException">A turn is out of order, or the last one is not of the user.</exception>
    public int[] EncodePrompt(IReadOnlyList<ChatTurn> turns)
    {
        var segments = format.RenderConversation(turns);
        return segments[^1].IsResponse
            ? throw new ConversationException(turns.Count - 1, "must have the role `user`: there is nothing to answer after an answer")
            : Encode(segments).Ids;
    }

    /// <summary>The ids of a text as it stands, after one beginning-of-text token if the model has one.</summary>
    public int[] EncodeRaw(string text) => [.. BeginOfText, .. tokenizer.Encode(text)];

    /// <summary>The ids of a response that follows a prompt, without an end-of-text token.</summary>
    public int[] EncodeResponse(string text) => tokenizer.EncodeContinuation(text);

    /// <summary>An instruction with its response and the end-of-text token; response and end are trained.</summary>
    /// <exception cref="InvalidOperationException">The tokenizer has no end-of-text token.</exception>
    public EncodedExample EncodeExample(string instruction, string input, string output) =>
        Encode([new(format.RenderPrompt(instruction, input), IsResponse: false), new(output, IsResponse: true)]);

    /// <summary>A conversation; every answer and the end-of-text token after it are trained.</summary>
    /// <exception cref="ConversationException">A turn is out of order.</exception>
    /// <exception cref="InvalidOperationException">The tokenizer has no end-of-text token.</exception>
    public EncodedExample EncodeExample(IReadOnlyList<ChatTurn> turns) => Encode(format.RenderConversation(turns));

    /// <summary>
    /// A text and its continuation, tokenized as one and divided at the length of the text's own tokens; spaces at its end belong to the
    /// continuation. An empty text is the beginning-of-text token, or the end-of-text token where there is none.
    /// </summary>
    public (int[] Context, int[] Continuation) EncodeJoint(string context, string continuation)
    {
        var trimmed = context.TrimEnd(' ');
        if (trimmed.Length == 0)
        {
            int[] start = tokenizer.BeginOfTextId is { } id ? [id] : [EndOfText];
            return (start, tokenizer.Encode(context + continuation));
        }

        var whole = EncodeRaw(context + continuation);
        var length = Math.Min(EncodeRaw(trimmed).Length, whole.Length);
        return (whole[..length], whole[length..]);
    }

    private int[] BeginOfText => tokenizer.BeginOfTextId is { } id ? [id] : [];

    private int EndOfText => tokenizer.EndOfTextIds.Count > 0
        ? tokenizer.EndOfTextIds[0]
        : throw new InvalidOperationException("The tokenizer names no end-of-text token: set `eos_token` in tokenizer_config.json.");

    private EncodedExample Encode(IReadOnlyList<PromptSegment> segments)
    {
        List<int> ids = [.. BeginOfText];
        List<bool> trained = [.. ids.Select(_ => false)];
        for (var i = 0; i < segments.Count; i++)
        {
            var segment = segments[i];
            ids.AddRange(i == 0 ? tokenizer.Encode(segment.Text) : tokenizer.EncodeContinuation(segment.Text));
            if (segment.IsResponse)
            {
                ids.Add(EndOfText);
            }

            trained.AddRange(Enumerable.Repeat(segment.IsResponse, ids.Count - trained.Count));
        }

        return new([.. ids], [.. trained]);
    }
}
