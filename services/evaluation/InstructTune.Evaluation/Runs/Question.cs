namespace InstructTune.Evaluation.Runs;

/// <summary>One example, asked.</summary>
/// <param name="Index">Position in the dataset version.</param>
/// <param name="Prompt">What is asked.</param>
/// <param name="References">Acceptable answers, at least one.</param>
/// <param name="Choices">The options; empty for open questions.</param>
internal sealed record Question(long Index, Prompt Prompt, IReadOnlyList<string> References, IReadOnlyList<string> Choices);

/// <summary>What the model sees before it answers.</summary>
internal abstract record Prompt
{
    /// <summary>For people who read results.</summary>
    public abstract string Readable { get; }
}

/// <summary>Formatted with the model's own prompt format.</summary>
internal sealed record InstructionPrompt(string Instruction, string Input) : Prompt
{
    public override string Readable => Input.Length == 0 ? Instruction : Instruction + "\n\n" + Input;
}

/// <summary>Turns up to the one that is asked for, formatted with the model's own prompt format.</summary>
internal sealed record ConversationPrompt(IReadOnlyList<(string Role, string Text)> Turns) : Prompt
{
    public override string Readable => string.Join("\n\n", Turns.Select(turn => $"{turn.Role}: {turn.Text}"));
}

/// <summary>Used as it is.</summary>
internal sealed record RawPrompt(string Text) : Prompt
{
    public override string Readable => Text;
}
