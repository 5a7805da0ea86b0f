namespace InstructTune.Dataset.Derivation;

/// <summary>How to part a version: fractions by part name, which sum to 1.</summary>
internal sealed record SplitSpec(IReadOnlyDictionary<string, double> Fractions, ulong Seed, bool StratifyByTask);
