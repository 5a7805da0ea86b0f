using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;

namespace InstructTune.Benchmarks.Training;

/// <summary>One line of the table.</summary>
/// <param name="Name">What it is called on the command line.</param>
/// <param name="Config">The shape.</param>
/// <param name="Rank">Of the adapter; 0 for full training.</param>
/// <param name="Batches">The micro-batch of each step, in turn.</param>
/// <param name="WarmSteps">Steps that are not counted.</param>
/// <param name="Steps">Steps that are; at least those that fit <paramref name="Seconds"/>.</param>
/// <param name="Seconds">How long to go on.</param>
internal sealed record TrainingRow(
    string Name, LlamaConfig Config, int Rank, IReadOnlyList<IReadOnlyList<TokenizedExample>> Batches, int WarmSteps = 1, int Steps = 1, double Seconds = 12)
{
    /// <summary>What it is measured against.</summary>
    public Bar Bar { get; init; } = new(null, null, null);

    /// <summary>Rows of one length whose tokens are all trained.</summary>
    public static IReadOnlyList<TokenizedExample> Rectangle(LlamaConfig config, int rows, int tokens) =>
        [.. Enumerable.Range(0, rows).Select(row => Example(config, tokens, row))];

    /// <summary>Tokens of no meaning.</summary>
    public static TokenizedExample Example(LlamaConfig config, int tokens, int row)
    {
        var random = new Random((row * 7919) + tokens);
        return new TokenizedExample([.. Enumerable.Range(0, tokens).Select(_ => random.Next(config.VocabularySize))], [.. Enumerable.Repeat(true, tokens)]);
    }
}

/// <summary>Shares of the peak to reach.</summary>
/// <param name="Floor">At least.</param>
/// <param name="Aim">Better.</param>
/// <param name="Peer">What transformers reaches.</param>
internal sealed record Bar(double? Floor, double? Aim, double? Peer)
{
    /// <summary>In words, with whether a share reaches it.</summary>
    public string Text(double share)
    {
        (string Name, double? Value)[] bars = [("floor", Floor), ("aim", Aim), ("transformers", Peer)];
        var parts = bars.Where(part => part.Value is not null)
            .Select(part => $"{part.Name} {part.Value:P0}: {(share >= part.Value ? "reached" : "missed")}");
        return string.Join(", ", parts);
    }
}
