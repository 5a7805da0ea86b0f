namespace InstructTune.Dataset.Versions;

/// <summary>What is stored about a dataset, beside its id and creation time.</summary>
internal sealed record DatasetRecord(string DisplayName, IReadOnlyDictionary<string, string> Labels);
