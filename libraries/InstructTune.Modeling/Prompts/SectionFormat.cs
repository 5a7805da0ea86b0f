using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>A format of headed sections in plain text, such as that of Stanford Alpaca. It has no control tokens but the end of text.</summary>
public sealed record SectionFormat : PromptFormat
{
    /// <summary>Template with the places `{instruction}` and `{input}`.</summary>
    public required string WithInput { get; init; }

    /// <summary>Template with the place `{instruction}`, for an empty input.</summary>
    public required string WithoutInput { get; init; }

    /// <summary>What a conversation begins with, unless a system turn says something else.</summary>
    public required string ConversationPreamble { get; init; }

    /// <summary>Template with the place `{text}`: a user turn up to where its answer begins.</summary>
    public required string UserTurn { get; init; }

    /// <summary>The text before the response. Only an empty input is no input: white space counts.</summary>
    public string RenderPrompt(string instruction, string input) => input.Length == 0
        ? PromptTemplate.Fill(WithoutInput, ("{instruction}", instruction))
        : PromptTemplate.Fill(WithInput, ("{instruction}", instruction), ("{input}", input));

    /// <summary>A conversation as text of the prompt and of the responses, in turn. A conversation of one user turn is the prompt without input.</summary>
    /// <exception cref="ConversationException">A turn is out of order.</exception>
    public IReadOnlyList<PromptSegment> RenderConversation(IReadOnlyList<ChatTurn> turns)
    {
        ConversationOrder.Check(turns);
        var segments = new List<PromptSegment>();
        var prefix = ConversationPreamble;
        foreach (var turn in turns)
        {
            switch (turn.Role)
            {
                case ChatTurn.System:
                    prefix = turn.Text;
                    break;
                case ChatTurn.User:
                    segments.Add(new(prefix + PromptTemplate.Fill(UserTurn, ("{text}", turn.Text)), IsResponse: false));
                    prefix = "";
                    break;
                default:
                    segments.Add(new(turn.Text, IsResponse: true, turn.Trained ?? true));
                    break;
            }
        }

        return segments;
    }

    internal override IPromptLayout With(Tokenizer tokenizer) => new SectionLayout(this, tokenizer);

    private protected override object DefinitionObject() => new
    {
        name = Name,
        with_input = WithInput,
        without_input = WithoutInput,
        conversation_preamble = ConversationPreamble,
        user_turn = UserTurn,
        boundary = BoundaryName,
    };
}
