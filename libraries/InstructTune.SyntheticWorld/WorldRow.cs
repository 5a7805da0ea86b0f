namespace InstructTune.SyntheticWorld;

/// <summary>One example. The task names operation, format and domain; choices are there where the answer is one of a few labels.</summary>
public sealed record WorldRow(string Instruction, string Input, string Output, string Task, IReadOnlyList<string> Choices)
{
    /// <summary>A row without an instruction: its output is plain text, all of it to be learned.</summary>
    public bool IsText => Instruction.Length == 0;

    public static WorldRow OfText(string text) => new("", "", text, "text", []);
}
