using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>
/// Prompts as ids, in training and serving alike. Prompt and response are encoded apart, so that training sees the prompt exactly as
/// serving makes it. Text of users never becomes a special token.
/// </summary>
/// <param name="format">Of the model.</param>
/// <param name="tokenizer">Of the model.</param>
public sealed class PromptEncoder(PromptFormat format, Tokenizer tokenizer)
{
    private readonly IPromptLayout _layout = format.With(tokenizer);

    private int[]? _endIds;

    /// <summary>The format that renders.</summary>
    public PromptFormat Format => format;

    /// <summary>Tokens that end an answer: the model's own, and the end-of-turn token of the format.</summary>
    public IReadOnlyList<int> EndIds => _endIds ??= [.. tokenizer.EndOfTextIds.Union(_layout.EndOfTurnIds)];

    /// <summary>The ids before the response to an instruction.</summary>
    public int[] EncodePrompt(string instruction, string input) => _layout.Instruction(instruction, input, response: null).Ids;

    /// <summary>The ids before the next response of a conversation.</summary>
    /// <exception cref="ConversationException">A turn is out of order, or the last one is not of the user.</exception>
    public int[] EncodePrompt(IReadOnlyList<ChatTurn> turns) => _layout.Conversation(turns, forAnswer: true).Ids;

    /// <summary>The ids of a text as it stands, after one beginning-of-text token if it is wanted and the model has one.</summary>
    public int[] EncodeRaw(string text, bool beginsText = true) => [.. beginsText ? BeginOfText : [], .. tokenizer.Encode(text)];

    /// <summary>The ids of a response that follows a prompt, without an end-of-text token.</summary>
    public int[] EncodeResponse(string text) => _layout.Response(text);

    /// <summary>An instruction with its response and the token that ends it; response and end are trained.</summary>
    /// <exception cref="InvalidOperationException">The tokenizer has no end-of-text token.</exception>
    public EncodedExample EncodeExample(string instruction, string input, string output) => _layout.Instruction(instruction, input, output).Example;

    /// <summary>A conversation; every answer and the token after it are trained, unless the turn says otherwise.</summary>
    /// <exception cref="ConversationException">A turn is out of order.</exception>
    /// <exception cref="InvalidOperationException">The tokenizer has no end-of-text token.</exception>
    public EncodedExample EncodeExample(IReadOnlyList<ChatTurn> turns) => _layout.Conversation(turns, forAnswer: false).Example;

    /// <summary>An instruction as text and ids, up to where its response begins, or with it.</summary>
    public RenderedPrompt Render(string instruction, string input, string? response = null) => _layout.Instruction(instruction, input, response);

    /// <summary>A conversation as text and ids: up to where the next answer begins, or whole where it ends with an answer.</summary>
    /// <exception cref="ConversationException">A turn is out of order.</exception>
    public RenderedPrompt Render(IReadOnlyList<ChatTurn> turns) =>
        _layout.Conversation(turns, forAnswer: turns.Count == 0 || turns[^1].Role != ChatTurn.Assistant);

    /// <summary>
    /// A text and its continuation, tokenized as one and divided at the length of the text's own tokens; spaces at its end belong to the
    /// continuation. An empty text is the beginning-of-text token, or the end-of-text token where there is none; where neither is wanted, the first
    /// token of the continuation.
    /// </summary>
    /// <param name="context">The text.</param>
    /// <param name="continuation">What follows it.</param>
    /// <param name="beginsText">Whether the text gets a beginning-of-text token, if the model has one.</param>
    public JointIds EncodeJoint(string context, string continuation, bool beginsText = true)
    {
        var trimmed = context.TrimEnd(' ');
        if (trimmed.Length == 0)
        {
            var ids = tokenizer.Encode(context + continuation);
            return !beginsText ? new(ids[..Math.Min(1, ids.Length)], ids[Math.Min(1, ids.Length)..], IsMerged: false)
                : new(tokenizer.BeginOfTextId is { } id ? [id] : [EndOfText], ids, IsMerged: false);
        }

        var (whole, alone) = (EncodeRaw(context + continuation, beginsText), EncodeRaw(trimmed, beginsText));
        var length = Math.Min(alone.Length, whole.Length);
        return new(whole[..length], whole[length..], !whole.AsSpan().StartsWith(alone));
    }

    private int[] BeginOfText => tokenizer.BeginOfTextId is { } id ? [id] : [];

    private int EndOfText => tokenizer.EndOfTextIds.Count > 0
        ? tokenizer.EndOfTextIds[0]
        : throw new InvalidOperationException("The tokenizer names no end-of-text token: set `eos_token` in tokenizer_config.json.");
}
