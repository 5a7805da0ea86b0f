namespace InstructTune.Modeling.Numerics;

/// <summary>
/// Randomness of the rows of a pass: what an element draws follows from its example's index in the optimizer step, its token and its column, so that a
/// step cut into other passes draws the same.
/// </summary>
/// <param name="Seed">Of the step.</param>
/// <param name="FirstExample">Index in the step of the first example of the pass; a packed row counts as one.</param>
/// <param name="Tokens">Tokens of a row of the pass, padding included.</param>
public sealed record RowSeeds(StepSeed Seed, long FirstExample, long Tokens)
{
    /// <summary>Which flattened rows of the pass a tensor holds; null for all, in order.</summary>
    public IReadOnlyList<long>? Chosen { get; init; }

    /// <summary>An independent stream over the same rows.</summary>
    public RowSeeds Derive(string purpose) => this with { Seed = Seed.Derive(purpose) };

    /// <summary>Stretches of rows of one example.</summary>
    internal RowRun[] Runs(long rows) => Chosen is null
        ? [.. Enumerable.Range(0, (int)(rows / Tokens)).Select(example => new RowRun(example * Tokens, Tokens, SeedOf(example), 0))]
        : [.. Chosen.Select((row, place) => new RowRun(place, 1, SeedOf(row / Tokens), row % Tokens))];

    private StepSeed SeedOf(long example) => Seed.Derive("example", FirstExample + example);
}

/// <summary>Rows of a tensor that follow one another in an example.</summary>
/// <param name="First">The first, in the tensor.</param>
/// <param name="Count">How many.</param>
/// <param name="Seed">Of the example.</param>
/// <param name="Token">The first one's, in the example.</param>
internal readonly record struct RowRun(long First, long Count, StepSeed Seed, long Token);
