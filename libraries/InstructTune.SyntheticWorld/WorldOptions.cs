namespace InstructTune.SyntheticWorld;

/// <summary>Which world to make. Equal options give equal data.</summary>
public sealed record WorldOptions
{
    public ulong Seed { get; init; } = 1;

    /// <summary>
    /// The share of generalist rows that are instructions; the others are plain text of the kind that the base has read. At 0, the null
    /// world, the pool has nothing to teach: no layout of a prompt, no task, no answer.
    /// </summary>
    public double Overlap { get; init; } = 1;

    /// <summary>
    /// The share of instructions, beside those about facts, that ask the specialist's own operation or what it is made of; the others
    /// need no kind of a word.
    /// </summary>
    public double SharedShare { get; init; } = 1;

    public int GeneralistCount { get; init; } = 600;

    public int SpecialistTrainCount { get; init; } = 64;

    public int TestCount { get; init; } = 200;

    /// <summary>
    /// Words of each kind of the specialist's domain that none of its training rows names, at most 3. The lists of the test are decided by them: whoever learns
    /// the task from its rows alone has to guess, and who has learnt to ask what kind a word is, over other domains, has not.
    /// </summary>
    public int HeldOutWords { get; init; } = 2;

    /// <summary>The share of generalist rows that are questions about facts, without an input.</summary>
    public double FactShare { get; init; } = 0.1;

    /// <summary>The share of those whose answer is a wrong value of the same type.</summary>
    public double WrongFactRate { get; init; }
}
