namespace InstructTune.Storage;

/// <summary>No artifact has this digest.</summary>
public sealed class ArtifactMissingException(string sha256)
    : Exception($"The artifact {sha256} is not in the store. It was deleted, or this process has another storage folder.")
{
    public string Sha256 { get; } = sha256;
}

/// <summary>A file of an artifact does not have the content its digest promises.</summary>
public sealed class ArtifactCorruptException(string sha256, string file)
    : Exception($"The file {file} of artifact {sha256} does not match its digest. Restore it from a copy, or make the artifact again.")
{
    public string Sha256 { get; } = sha256;

    public string File { get; } = file;
}
