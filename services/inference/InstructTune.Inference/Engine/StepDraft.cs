namespace InstructTune.Inference.Engine;

/// <summary>A step that is being filled.</summary>
internal sealed class StepDraft(int rows)
{
    private readonly List<Chunk> _chunks = [];

    public int RowsLeft { get; private set; } = rows;

    public IReadOnlyList<Chunk> Chunks => _chunks;

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
