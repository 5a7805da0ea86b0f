namespace InstructTune.Storage;

/// <summary>Immutable folders, named by the digest of their content.</summary>
public interface IArtifactStore
{
    /// <summary>A folder to write into, on the same disk as the store.</summary>
    StagingFolder CreateStaging();

    /// <summary>Makes a staging folder an artifact. Publishing equal content again changes nothing.</summary>
    Task<Manifest> PublishAsync(StagingFolder staging, CancellationToken ct);

    bool Contains(string sha256);

    /// <summary>Opens an artifact whose every byte was verified in this process.</summary>
    /// <exception cref="ArtifactMissingException">There is none of this digest.</exception>
    /// <exception cref="ArtifactCorruptException">A file does not have the content the digest promises.</exception>
    Task<ArtifactFolder> OpenAsync(string sha256, CancellationToken ct);

    void Delete(string sha256);
}

public sealed record ArtifactFolder(string Path, Manifest Manifest);
