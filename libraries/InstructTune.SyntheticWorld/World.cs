using InstructTune.SyntheticWorld.Language;
using InstructTune.SyntheticWorld.Operations;
using InstructTune.SyntheticWorld.Sets;

namespace InstructTune.SyntheticWorld;

/// <summary>
/// A small world with instructions, made from a seed: a generalist pool, a specialist task with its held-out test, and the text a
/// base model is pre-trained on.
/// </summary>
public sealed class World
{
    /// <summary>The facts and the base model belong together: every world keeps the facts that the base has read.</summary>
    public const ulong BaseSeed = 2310;

    private World(WorldOptions options)
    {
        var facts = new FactTable(BaseSeed);
        var domain = Lexicon.Domains[0];
        Options = options;
        Generalist = [.. GeneralistPool.Rows(options, facts, domain)];
        (SpecialistTrain, Test) = SpecialistSet.Rows(options, MeaningOperations.Majority, domain, facts);
    }

    public WorldOptions Options { get; }

    public IReadOnlyList<WorldRow> Generalist { get; }

    public IReadOnlyList<WorldRow> SpecialistTrain { get; }

    /// <summary>Rows of the specialist's task whose inputs occur in no training row.</summary>
    public IReadOnlyList<WorldRow> Test { get; }

    public static World Create(WorldOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.Overlap);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Overlap, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.SharedShare);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SharedShare, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.HeldOutWords);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.HeldOutWords, 3);
        return new World(options);
    }

    /// <summary>The text that a base model is pre-trained on, one document each.</summary>
    public static IEnumerable<string> BaseDocuments(int count, ulong seed = BaseSeed) => BaseCorpus.Documents(seed, count);
}
