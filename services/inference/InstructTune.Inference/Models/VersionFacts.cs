namespace InstructTune.Inference.Models;

/// <summary>What a version is, by content. <see cref="Base"/> is set for adapters only.</summary>
internal sealed record VersionFacts(string Name, string ManifestSha256, string PromptFormat, VersionFacts? Base, string PromptFormatSha256 = "")
{
    public VersionFacts BaseOrSelf => Base ?? this;
}
