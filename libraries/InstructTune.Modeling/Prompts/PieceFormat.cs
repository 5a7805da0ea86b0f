using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Prompts;

/// <summary>
/// Sections as LLaMA-Factory makes them: without a beginning-of-text token, and every piece tokenized as a text of its own. What follows the
/// end of a response is part of it.
/// </summary>
public sealed record PieceFormat : PromptFormat
{
    private const string InstructionTurn = "{instruction}\n{input}";

    /// <summary>What a conversation begins with, unless a system turn says something else.</summary>
    public required string Preamble { get; init; }

    /// <summary>Template with the place `{text}`: a user turn up to where its answer begins.</summary>
    public required string UserTurn { get; init; }

    /// <summary>What follows the end-of-text token of every response.</summary>
    public required string AfterResponse { get; init; }

    internal static string TurnOf(string instruction, string input) => instruction.Length == 0 || input.Length == 0
        ? instruction + input
        : PromptTemplate.Fill(InstructionTurn, ("{instruction}", instruction), ("{input}", input));

    internal override IPromptLayout With(Tokenizer tokenizer) => new PieceLayout(this, tokenizer);

    private protected override PromptFormat Fitting(Tokenizer tokenizer) => Boundary == PromptBoundary.Split
        ? this
        : throw new PromptFormatException(Name, "tokenizes every piece apart; ask for the prompt boundary `split`");

    private protected override object DefinitionObject() => new
    {
        name = Name,
        preamble = Preamble,
        user_turn = UserTurn,
        instruction_turn = InstructionTurn,
        after_response = AfterResponse,
        boundary = BoundaryName,
    };
}
