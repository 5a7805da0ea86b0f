namespace InstructTune.Modeling.Llama;

/// <summary>Consecutive tokens of one sequence within one block of 64: the unit of attention.</summary>
/// <param name="Sequence">Index in the batch.</param>
/// <param name="From">First token, counted in the sequence.</param>
/// <param name="To">One past the last.</param>
/// <param name="Row">First row in the layout.</param>
internal sealed record StepPiece(int Sequence, int From, int To, int Row)
{
    public int Count => To - From;
}

/// <summary>
/// The order of a step's rows inside the model: whole blocks of 64 tokens first, everything else after. Whole blocks are products of
/// libtorch, which rounds alike for every multiple of four rows; the rest are products of <see cref="RowKernel"/>, which rounds alike
/// for any number. Which of the two a token gets follows from its own sequence only. Pure.
/// </summary>
internal sealed class StepLayout
{
    /// <summary>Prompts chunked at multiples of this give the bits of whole prompts.</summary>
    public const int BlockTokens = 64;

    private readonly StepBatch _batch;

    public StepLayout(StepBatch batch)
    {
        _batch = batch;
        var pieces = Enumerable.Range(0, batch.Sequences.Count).SelectMany(Cut).OrderBy(p => p.Count != BlockTokens).ToArray();
        var row = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            pieces[i] = pieces[i] with { Row = row };
            row += pieces[i].Count;
            BlockRows = pieces[i].Count == BlockTokens ? row : BlockRows;
        }

        Pieces = pieces;
    }

    public IReadOnlyList<StepPiece> Pieces { get; }

    public int RowCount => _batch.RowCount;

    /// <summary>Rows of whole blocks; the others follow.</summary>
    public int BlockRows { get; }

    /// <summary>The layout's row of each row of the batch; null where they are the same.</summary>
    public long[]? RowOfBatchRow()
    {
        var result = new long[RowCount];
        foreach (var piece in Pieces)
        {
            var first = _batch.FirstRows[piece.Sequence] + piece.From - _batch.Sequences[piece.Sequence].CachedTokens;
            for (var i = 0; i < piece.Count; i++)
            {
                result[first + i] = piece.Row + i;
            }
        }

        return result.Index().All(r => r.Item == r.Index) ? null : result;
    }

    /// <summary>A number for each row: of a sequence and a token of it.</summary>
    public long[] Rows(Func<StepSequence, int, long> value)
    {
        var result = new long[RowCount];
        foreach (var piece in Pieces)
        {
            var sequence = _batch.Sequences[piece.Sequence];
            for (var i = 0; i < piece.Count; i++)
            {
                result[piece.Row + i] = value(sequence, piece.From + i);
            }
        }

        return result;
    }

    private IEnumerable<StepPiece> Cut(int index)
    {
        var sequence = _batch.Sequences[index];
        var end = sequence.CachedTokens + sequence.Ids.Length;
        for (var from = sequence.CachedTokens; from < end;)
        {
            var to = Math.Min(end, ((from / BlockTokens) + 1) * BlockTokens);
            yield return new StepPiece(index, from, to, 0);
            from = to;
        }
    }
}
