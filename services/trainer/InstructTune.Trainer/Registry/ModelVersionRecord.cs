namespace InstructTune.Trainer.Registry;

internal enum ModelKind
{
    FullWeights,
    LoraAdapter,
}

/// <summary>What clients need to know of an adapter.</summary>
internal sealed record AdapterFacts(int Rank, double Alpha, IReadOnlyList<string> TargetModules, bool RankStabilized, bool WeightDecomposed = false);

/// <summary>A version before it has a number. Its files are published already.</summary>
internal sealed record NewModelVersion
{
    /// <summary>The model's id, without `models/`.</summary>
    public required string Model { get; init; }

    public required ModelKind Kind { get; init; }

    /// <summary>For an adapter, `models/{model}/versions/{version}`; else empty.</summary>
    public string BaseModelVersion { get; init; } = "";

    /// <summary>The job's resource name; empty for an upload.</summary>
    public string FineTuneJob { get; init; } = "";

    public required string ManifestSha256 { get; init; }

    public required long ParameterCount { get; init; }

    public required int ContextTokens { get; init; }

    public required string PromptFormat { get; init; }

    public required string PromptFormatSha256 { get; init; }

    public required string Architecture { get; init; }

    public required long SizeBytes { get; init; }

    public AdapterFacts? Adapter { get; init; }

    /// <summary>What it was made from, by role.</summary>
    public IReadOnlyDictionary<string, string> Lineage { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>An immutable version of a model.</summary>
internal sealed record ModelVersionRecord
{
    /// <summary>The model's id, without `models/`.</summary>
    public required string Model { get; init; }

    /// <summary>1, 2, 3 and so on; never used again.</summary>
    public required int Version { get; init; }

    public required ModelKind Kind { get; init; }

    public required string BaseModelVersion { get; init; }

    public required string FineTuneJob { get; init; }

    public required string ManifestSha256 { get; init; }

    public required long ParameterCount { get; init; }

    public required int ContextTokens { get; init; }

    public required string PromptFormat { get; init; }

    public required string PromptFormatSha256 { get; init; }

    public required string Architecture { get; init; }

    public required long SizeBytes { get; init; }

    public required AdapterFacts? Adapter { get; init; }

    public required IReadOnlyDictionary<string, string> Lineage { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    /// <summary>The resource name.</summary>
    public string Name => $"models/{Model}/versions/{Version}";

    public static ModelVersionRecord Of(NewModelVersion facts, int version, DateTimeOffset createTime) => new()
    {
        Model = facts.Model,
        Version = version,
        Kind = facts.Kind,
        BaseModelVersion = facts.BaseModelVersion,
        FineTuneJob = facts.FineTuneJob,
        ManifestSha256 = facts.ManifestSha256,
        ParameterCount = facts.ParameterCount,
        ContextTokens = facts.ContextTokens,
        PromptFormat = facts.PromptFormat,
        PromptFormatSha256 = facts.PromptFormatSha256,
        Architecture = facts.Architecture,
        SizeBytes = facts.SizeBytes,
        Adapter = facts.Adapter,
        Lineage = facts.Lineage,
        CreateTime = createTime,
    };
}

/// <summary>A named series of versions.</summary>
internal sealed record ModelRecord(string Model, int LatestVersion, DateTimeOffset CreateTime);
