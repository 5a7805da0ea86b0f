namespace InstructTune.Inference.Engine;

/// <summary>A step that is being filled.</summary>
internal sealed class StepDraft(int rows)
{
    private readonly List<Chunk> _chunks = [];

    public int RowsLeft { get; private set; } = rows;

    public IReadOnlyList<Chunk> Chunks => _chunks;

    /// <summary>The base's rows first, then those of each adapter together, so that its weights are read once in a step.</summary>
    public IReadOnlyList<Chunk> ByAdapter() => _chunks.TrueForAll(chunk => chunk.Sequence.Model.AdapterKey is null)
        ? _chunks
        : [.. _chunks.OrderBy(chunk => chunk.Sequence.Model.AdapterKey, StringComparer.Ordinal)];

    /// <summary>Adds what a sequence computes up to there, if that is anything.</summary>
    public void Add(Sequence sequence, int to)
    {
        if (to > sequence.Computed)
        {
            _chunks.Add(new Chunk(sequence, sequence.Computed, to));
            RowsLeft -= to - sequence.Computed;
        }
    }
}
