namespace InstructTune.SyntheticWorld;

/// <summary>One example. The task names operation, format and domain; choices are there where the answer is one of a few labels.</summary>
public sealed record WorldRow(string Instruction, string Input, string Output, string Task, IReadOnlyList<string> Choices);
