namespace InstructTune.Modeling.Llama;

/// <summary>The new tokens of one sequence in a serving step.</summary>
/// <param name="Slot">Where its keys and values lie.</param>
/// <param name="CachedTokens">How many of its tokens the slot holds already.</param>
/// <param name="Ids">The tokens that follow them; at least one.</param>
/// <param name="Adapter">Index in the adapter bank; null for the base model.</param>
public sealed record StepSequence(int Slot, int CachedTokens, ReadOnlyMemory<int> Ids, int? Adapter = null)
{
    /// <summary>Rotary positions of the new tokens where they are not simply <see cref="CachedTokens"/> and on.</summary>
    public IReadOnlyList<int>? Positions { get; init; }

    internal long PositionOf(int token) => Positions is { } given ? given[token - CachedTokens] : token;
}

/// <summary>One serving step: sequences laid row after row. Each slot may appear once.</summary>
public sealed class StepBatch
{
    /// <summary>Lays out the rows, in the given order.</summary>
    public StepBatch(IReadOnlyList<StepSequence> sequences)
    {
        ArgumentOutOfRangeException.ThrowIfZero(sequences.Count);
        Sequences = sequences;
        FirstRows = new int[sequences.Count];
        for (var i = 0; i < sequences.Count; i++)
        {
            FirstRows[i] = RowCount;
            ArgumentOutOfRangeException.ThrowIfZero(sequences[i].Ids.Length);
            RowCount += sequences[i].Ids.Length;
        }

        if (sequences.Select(s => s.Slot).Distinct().Count() != sequences.Count)
        {
            throw new ArgumentException("Two sequences of a step share a slot.", nameof(sequences));
        }
    }

    /// <summary>The sequences.</summary>
    public IReadOnlyList<StepSequence> Sequences { get; }

    /// <summary>First row of each sequence.</summary>
    public int[] FirstRows { get; }

    /// <summary>Rows of all sequences together.</summary>
    public int RowCount { get; private set; }

    /// <summary>The row whose logits continue that sequence: its last.</summary>
    public int LastRowOf(int sequence) => FirstRows[sequence] + Sequences[sequence].Ids.Length - 1;
}
