using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>What the events of a job say about it so far. Pure: the same events give the same picture.</summary>
internal sealed class JobTracker
{
    // Long enough to smooth single steps, short enough to follow a change of stage.
    private const int RateWindow = 32;
    private readonly Queue<(long Step, DateTime Time)> _recent = new();

    public JobState State { get; private set; } = JobState.Queued;

    public JobError? Cause { get; private set; }

    public string Phase { get; private set; } = "";

    public string StageId { get; private set; } = "";

    public long Step { get; private set; }

    public long PlannedSteps { get; private set; }

    public double? Loss { get; private set; }

    public double? TokensPerSecond { get; private set; }

    public string Checkpoint { get; private set; } = "";

    public double Fraction => PlannedSteps > 0 ? Math.Clamp((double)Step / PlannedSteps, 0, 1) : 0;

    public bool HasEnded => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

    /// <summary>From the steps of the last while; null until two were seen.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (_recent.Count < 2)
            {
                return null;
            }

            var (firstStep, firstTime) = _recent.Peek();
            var (lastStep, lastTime) = _recent.Last();
            return lastStep > firstStep && lastTime > firstTime && PlannedSteps >= lastStep
                ? (lastTime - firstTime) / (lastStep - firstStep) * (PlannedSteps - lastStep)
                : null;
        }
    }

    public void Apply(JobEvent change)
    {
        switch (change.EventCase)
        {
            case JobEvent.EventOneofCase.StateChanged:
                ApplyState(change.StateChanged);
                break;
            case JobEvent.EventOneofCase.PhaseStarted:
                Phase = change.PhaseStarted.Phase;
                break;
            case JobEvent.EventOneofCase.StageStarted:
                StageId = change.StageStarted.StageId;
                break;
            case JobEvent.EventOneofCase.CheckpointSaved:
                Checkpoint = change.CheckpointSaved.Checkpoint;
                break;
            case JobEvent.EventOneofCase.MetricsReported:
                ApplyMetrics(change.MetricsReported, change.CreateTime?.ToDateTime() ?? default);
                break;
        }
    }

    /// <summary>One line: what it does, how far, how well, how fast, how long still.</summary>
    public string Describe()
    {
        var parts = new List<string> { What() };
        if (PlannedSteps > 0)
        {
            parts.Add($"{Formats.Count(Step)}/{Formats.Count(PlannedSteps)}");
        }

        if (Loss is { } loss)
        {
            parts.Add("loss " + Formats.Loss(loss));
        }

        if (TokensPerSecond is { } rate)
        {
            parts.Add(Formats.Count(rate) + " tokens/s");
        }

        if (!HasEnded && Remaining is { TotalSeconds: >= 1 } remaining)
        {
            parts.Add("about " + Formats.Duration(remaining) + " left");
        }

        return string.Join("  ", parts);
    }

    private string What() => State switch
    {
        JobState.Running when Phase == "training" && StageId.Length > 0 => StageId,
        JobState.Running when Phase.Length > 0 => Phase,
        _ => Formats.Lower(State),
    };

    private void ApplyState(JobEvent.Types.StateChanged change)
    {
        State = change.To;
        Cause = change.Cause;
        if (State != JobState.Running)
        {
            // The time a job waits between two attempts says nothing of its speed.
            _recent.Clear();
            Phase = "";
        }
    }

    private void ApplyMetrics(JobEvent.Types.MetricsReported metrics, DateTime time)
    {
        if (metrics.Step < Step)
        {
            _recent.Clear();
        }

        Step = metrics.Step;
        PlannedSteps = metrics.PlannedSteps;
        StageId = metrics.StageId.Length > 0 ? metrics.StageId : StageId;
        Loss = metrics.Values.TryGetValue("training_loss", out var loss) ? loss : Loss;
        TokensPerSecond = metrics.Values.TryGetValue("tokens_per_second", out var rate) ? rate : TokensPerSecond;
        _recent.Enqueue((Step, time));
        if (_recent.Count > RateWindow)
        {
            _recent.Dequeue();
        }
    }
}
