namespace InstructTune.Inference.Engine;

/// <summary>What the engine did and holds. Written by its thread, read by any.</summary>
internal sealed class EngineCounters
{
    private long _submitted;
    private long _steps;
    private long _rows;
    private long _isolatedSteps;
    private long _stepBegan;
    private long _running;
    private long _waiting;
    private long _rentedBytes;

    /// <summary>Sequences that were handed over.</summary>
    public long Submitted => Interlocked.Read(ref _submitted);

    public long Steps => Interlocked.Read(ref _steps);

    /// <summary>Token positions computed, over all steps.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Steps that were repeated chunk by chunk, to find the one that fails.</summary>
    public long IsolatedSteps => Interlocked.Read(ref _isolatedSteps);

    /// <summary>Time stamp of the step that runs now; 0 between steps.</summary>
    public long StepBegan => Interlocked.Read(ref _stepBegan);

    /// <summary>Sequences that have a slot.</summary>
    public long Running => Interlocked.Read(ref _running);

    /// <summary>Sequences that wait for a slot.</summary>
    public long Waiting => Interlocked.Read(ref _waiting);

    /// <summary>Cache memory of the running sequences.</summary>
    public long RentedBytes => Interlocked.Read(ref _rentedBytes);

    public void Submit(int sequences) => Interlocked.Add(ref _submitted, sequences);

    public void Begin(long now) => Interlocked.Exchange(ref _stepBegan, now);

    public void End(int rows)
    {
        Interlocked.Add(ref _rows, rows);
        Interlocked.Increment(ref _steps);
        Interlocked.Exchange(ref _stepBegan, 0);
    }

    public void Isolate() => Interlocked.Increment(ref _isolatedSteps);

    public void Observe(Scheduler scheduler)
    {
        Interlocked.Exchange(ref _running, scheduler.RunningCount);
        Interlocked.Exchange(ref _waiting, scheduler.WaitingCount);
        Interlocked.Exchange(ref _rentedBytes, scheduler.Lanes.Sum(lane => lane.Slots.RentedBytes));
    }
}
