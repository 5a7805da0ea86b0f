namespace InstructTune.Storage;

/// <summary>One file of an artifact. The path is relative, with forward slashes.</summary>
public sealed record StoredFile(string Path, long SizeBytes, string Sha256);
