using InstructTune.Fuzz.Targets;

namespace InstructTune.Fuzz;

/// <summary>Every target, by name.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new SafetensorsTarget(),
        new ShardIndexTarget(),
        new ModelConfigTarget(),
        new AdapterConfigTarget(),
        new AdapterTarget(),
        new TokenizerJsonTarget(),
        new SentencePieceTarget(),
        new RankFileTarget(),
        new StopsTarget(),
        new TemplateTarget(),
        new GgufTarget(),
    ];

    public static FuzzTarget? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}
