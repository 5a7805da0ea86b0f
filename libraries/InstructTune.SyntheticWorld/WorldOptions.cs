namespace InstructTune.SyntheticWorld;

/// <summary>Which world to make. Equal options give equal data.</summary>
public sealed record WorldOptions
{
    public ulong Seed { get; init; } = 1;

    /// <summary>
    /// The share of generalist rows that ask the specialist's own operation, or what it is made of, over other domains; 0 is the null
    /// world, in which no generalist row needs the kind of a word.
    /// </summary>
    public double Overlap { get; init; } = 1;

    public int GeneralistCount { get; init; } = 1200;

    public int SpecialistTrainCount { get; init; } = 96;

    public int TestCount { get; init; } = 200;

    /// <summary>The share of generalist rows that are questions about facts, without an input.</summary>
    public double FactShare { get; init; } = 0.1;

    /// <summary>The share of those whose answer is a wrong value of the same type.</summary>
    public double WrongFactRate { get; init; }
}
