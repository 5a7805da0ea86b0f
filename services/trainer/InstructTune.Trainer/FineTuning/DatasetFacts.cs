using System.Security.Cryptography;
using System.Text;
using InstructTune.Trainer.Data;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What a stage trains on or is validated on: a version of a dataset, as its owner describes it, or a mix of such.</summary>
internal sealed record DatasetFacts(string VersionName, string ContentSha256, long ExampleCount)
{
    /// <summary>Of a mix, in order; empty for a version.</summary>
    public IReadOnlyList<DatasetFacts> Components { get; init; } = [];

    /// <summary>A mix has no name; its content follows from the spec and from the digests of what it is made of.</summary>
    public static DatasetFacts OfMix(MixSpec mix, IReadOnlyList<DatasetFacts> components) => new(
        "",
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(' ', components.Select(component => component.ContentSha256))))),
        MixPlan.Of(mix, components).Places.Count)
    {
        Components = components,
    };
}
