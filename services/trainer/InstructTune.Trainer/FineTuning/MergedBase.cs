namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// Weights that a job made on its way and trained an adapter on. They get a name of their own, which follows from their content, so that all jobs that made the
/// same ones share a base when they are served. Pure.
/// </summary>
internal static class MergedBase
{
    private const int DigestCharacters = 16;

    public static string ModelOf(string manifestSha256) => "merged-" + manifestSha256[..DigestCharacters];

    /// <summary>The version under an adapter. Format: `models/{model}/versions/{version}`</summary>
    public static string NameOf(FineTuneOrder order, Foundation foundation) =>
        !order.HasUnnamedBase && foundation.ManifestSha256 == order.BaseManifestSha256 ? order.BaseVersion : $"models/{ModelOf(foundation.ManifestSha256)}/versions/1";
}
