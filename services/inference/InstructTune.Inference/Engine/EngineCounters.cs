namespace InstructTune.Inference.Engine;

/// <summary>What the engine did and holds. Written by its thread, read by any.</summary>
internal sealed class EngineCounters
{
    private const int StepsRemembered = 16;

    private long _submitted;
    private long _steps;
    private long _rows;
    private long _isolatedSteps;
    private long _stepBegan;
    private long _usualStepTicks;
    private volatile EngineSnapshot _snapshot = EngineSnapshot.Empty;

    /// <summary>Sequences that were handed over.</summary>
    public long Submitted => Interlocked.Read(ref _submitted);

    public long Steps => Interlocked.Read(ref _steps);

    /// <summary>Token positions computed, over all steps.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Steps that were repeated chunk by chunk, to find the one that fails.</summary>
    public long IsolatedSteps => Interlocked.Read(ref _isolatedSteps);

    /// <summary>Time stamp of the step that runs now; 0 between steps.</summary>
    public long StepBegan => Interlocked.Read(ref _stepBegan);

    /// <summary>What a step takes, the wait for the device included; steps of long ago count for less and less.</summary>
    public TimeSpan UsualStep => TimeSpan.FromTicks(Interlocked.Read(ref _usualStepTicks));

    /// <summary>As of the last step.</summary>
    public EngineSnapshot Snapshot => _snapshot;

    /// <summary>Sequences that have a slot.</summary>
    public long Running => _snapshot.Running.Sum();

    /// <summary>Sequences that wait for a slot.</summary>
    public long Waiting => _snapshot.Waiting.Sum();

    /// <summary>Cache memory of the running sequences.</summary>
    public long RentedBytes => _snapshot.UsedBytes;

    public void Submit(int sequences) => Interlocked.Add(ref _submitted, sequences);

    public void Begin(long now) => Interlocked.Exchange(ref _stepBegan, now);

    /// <summary>Called before the outputs are given out: whoever has an answer finds its rows counted.</summary>
    public void Compute(int rows) => Interlocked.Add(ref _rows, rows);

    public void End(TimeSpan duration)
    {
        var usual = UsualStep;
        Interlocked.Exchange(ref _usualStepTicks, (Steps == 0 ? duration : usual + ((duration - usual) / StepsRemembered)).Ticks);
        Interlocked.Increment(ref _steps);
        Interlocked.Exchange(ref _stepBegan, 0);
    }

    public void Isolate() => Interlocked.Increment(ref _isolatedSteps);

    public void Observe(Scheduler scheduler) => _snapshot = EngineSnapshot.Of(scheduler);
}
