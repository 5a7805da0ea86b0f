namespace InstructTune.Evaluation.Runs;

/// <summary>What the evaluation service needs of the model registry.</summary>
internal interface IModels
{
    /// <summary>The exact version that a name means now.</summary>
    Task<ModelFacts> ResolveAsync(string modelVersion, CancellationToken ct);
}

/// <summary>A model version, and what decides whether runs on it can be compared.</summary>
internal sealed record ModelFacts(string Version, string ManifestSha256, string PromptFormatSha256);
