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

    /// <summary>Who was thrown out so often gets all the memory it can need when it starts again, and is not thrown out any more.</summary>
    public const int MaxPreemptions = 2;

    private bool _hasStarted;
    private int _reached;

    public ModelKey Model { get; } = model;

    public RequestLife Life { get; } = life;

    /// <summary>Every token this sequence can ever hold.</summary>
    public int CapacityTokens { get; } = capacityTokens;

    /// <summary>The place in the order of arrival, given by the scheduler.</summary>
    public long Order { get; set; }

    /// <summary>Null when nothing of it may be shared.</summary>
    public PrefixChain? Prefix { get; init; }

    /// <summary>Tokens that were given: after them comes another chunk, whatever the load.</summary>
    public abstract int PromptTokens { get; }

    /// <summary>Tokens whose keys and values are in the slot.</summary>
    public int Computed { get; protected set; }

    /// <summary>Tokens given and generated.</summary>
    public int Known { get; protected set; }

    /// <summary>Prompt tokens that were not computed when it started first, because the prefix cache had them.</summary>
    public int CachedTokens { get; private set; }

    public Slot? Slot { get; private set; }

    public bool Ended { get; private set; }

    public long Started { get; private set; }

    public int Preemptions { get; private set; }

    public bool CanBePreempted => Preemptions < MaxPreemptions;

    /// <summary>The one whose prefix this one waited for; it waits for no other.</summary>
    public Sequence? Leader { get; set; }

    /// <summary>One row is all it can use in a step.</summary>
    public bool IsDecoding => Known - Computed == 1 || (RepeatsSingly && Computed >= PromptTokens && Computed < Known);

    /// <summary>Whether tokens after the prompt were computed one by one, and must be again.</summary>
    protected virtual bool RepeatsSingly => false;

    /// <summary>How far to compute with so many rows: to the end, or to the last border that can be reached; else not at all.</summary>
    public int ChunkEnd(int rows) => ChunkEnd(Computed, rows);

    public int ChunkEnd(int from, int rows)
    {
        var border = from < PromptTokens ? Math.Min(PromptTokens, Known) : RepeatsSingly ? Math.Min(from + 1, Known) : Known;
        return border - from <= rows ? border : Math.Max(from, (from + rows) / ChunkTokens * ChunkTokens);
    }

    /// <summary>Room to start with.</summary>
    public int TokensToReserve(int outputTokens) =>
        CanBePreempted && RepeatsSingly ? (int)Math.Min(CapacityTokens, (long)Known + outputTokens) : CapacityTokens;

    public abstract int TokenAt(int position);

    /// <summary>What the caller of the model must hand to <see cref="Accept"/> after computing these positions.</summary>
    public abstract ChunkWants WantsOf(int from, int to);

    /// <summary>Gets a slot that holds the first tokens already.</summary>
    public void Start(Slot slot, long now, int cachedTokens = 0)
    {
        Slot = slot;
        Computed = cachedTokens;
        // Held on to, each would keep the one before it, without end.
        Leader = null;
        if (!_hasStarted)
        {
            (_hasStarted, Started, CachedTokens) = (true, now, cachedTokens);
            Life.SequenceStarted();
        }
    }

    /// <summary>Moves to a larger slot.</summary>
    public void MoveTo(Slot slot) => Slot = slot;

    /// <summary>Loses everything that was computed, and nothing that was said.</summary>
    public void Restart()
    {
        Preemptions++;
        Computed = 0;
        OnRestart();
    }

    public void Accept(int to, ChunkOutput output, long now)
    {
        Computed = to;
        Take(to, output, now);
    }

    /// <summary>How many of the rows up to here were never computed before.</summary>
    public int NewRows(Chunk chunk)
    {
        var news = Math.Max(0, chunk.To - Math.Max(_reached, chunk.From));
        _reached = Math.Max(_reached, chunk.To);
        return news;
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

    /// <summary>Tells the caller at once, from any thread, while the engine's cannot. The engine ends the sequence when it can again.</summary>
    public void Abandon(Exception exception) => Report(exception);

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

    /// <summary>Goes back to what is in the slot up to there, to write something else after it.</summary>
    protected void Rewind(int tokens) => (Computed, _reached) = (tokens, tokens);

    protected abstract void Take(int to, ChunkOutput output, long now);

    protected virtual void OnRestart()
    {
    }

    /// <summary>Safe to call on any thread.</summary>
    protected abstract void Report(Exception exception);
}
