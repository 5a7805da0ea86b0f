namespace InstructTune.Inference.Engine;

/// <summary>
/// The tokens of one request and how far they are computed. There are no phases: whoever has <see cref="Computed"/> below
/// <see cref="Known"/> gets rows until it has caught up. Touched by the engine's thread only, once it was submitted.
/// </summary>
internal abstract class Sequence(ModelKey model, RequestLife life, int capacityTokens)
{
    /// <summary>
    /// Prompts are cut at multiples of this, counted from their own beginning, and at their end, whatever else runs. With cuts that
    /// depended on the load, the last bits of the keys and values would depend on it too.
    /// </summary>
    public const int ChunkTokens = 64;

    private bool _hasStarted;

    public ModelKey Model { get; } = model;

    public RequestLife Life { get; } = life;

    /// <summary>Every token this sequence can ever hold, reserved when it starts, so that nothing running is ever thrown out.</summary>
    public int CapacityTokens { get; } = capacityTokens;

    /// <summary>Tokens whose keys and values are in the slot.</summary>
    public int Computed { get; protected set; }

    /// <summary>Tokens given and generated.</summary>
    public int Known { get; protected set; }

    public Slot? Slot { get; private set; }

    public bool Ended { get; private set; }

    public long Started { get; private set; }

    /// <summary>How far to compute with so many rows: to the end, or to the last border that can be reached; else not at all.</summary>
    public int ChunkEnd(int rows) =>
        Known - Computed <= rows ? Known : Math.Max(Computed, (Computed + rows) / ChunkTokens * ChunkTokens);

    public abstract int TokenAt(int position);

    /// <summary>What the caller of the model must hand to <see cref="Accept"/> after computing these positions.</summary>
    public abstract ChunkWants WantsOf(int from, int to);

    public void Start(Slot slot, long now)
    {
        Slot = slot;
        Started = now;
        _hasStarted = true;
        Life.SequenceStarted();
    }

    public void Accept(int to, ChunkOutput output, long now)
    {
        Computed = to;
        Take(to, output, now);
    }

    /// <summary>Ends the sequence with an error that its caller sees.</summary>
    public void Fail(Exception exception)
    {
        if (!Ended)
        {
            End();
            Report(exception);
        }
    }

    /// <summary>Hands the slot back to whoever keeps count.</summary>
    public Slot? Release()
    {
        var slot = Slot;
        Slot = null;
        return slot;
    }

    protected void End()
    {
        Ended = true;
        if (!_hasStarted)
        {
            Life.SequenceStarted();
        }
        Life.SequenceEnded();
    }

    protected abstract void Take(int to, ChunkOutput output, long now);

    protected abstract void Report(Exception exception);
}
