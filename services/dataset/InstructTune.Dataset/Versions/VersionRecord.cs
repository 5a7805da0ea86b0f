using InstructTune.Dataset.Import;

namespace InstructTune.Dataset.Versions;

/// <summary>What is stored about a version; its examples lie in the artifact named by the manifest.</summary>
internal sealed record VersionRecord
{
    public required string ContentSha256 { get; init; }

    public required string ManifestSha256 { get; init; }

    public required long ExampleCount { get; init; }

    /// <summary>Examples in every shard but the last.</summary>
    public required int ShardExampleCount { get; init; }

    public required IReadOnlyDictionary<string, long> ExampleCountByTask { get; init; }

    public required Provenance Provenance { get; init; }
}

/// <summary>How a version came to be; no part of its content.</summary>
internal sealed record Provenance
{
    public IReadOnlyList<string> Parents { get; init; } = [];

    public ImportReport? ImportReport { get; init; }

    public IReadOnlyDictionary<string, string> Derivation { get; init; } = new Dictionary<string, string>();
}
