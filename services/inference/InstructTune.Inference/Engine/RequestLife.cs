namespace InstructTune.Inference.Engine;

/// <summary>
/// What the sequences of one request share: when it came, as a time stamp of the engine's clock, whether it is still wanted, and who is
/// told when the last of them has started and when the last has ended. The token fires when the caller leaves and at its deadline.
/// </summary>
internal sealed class RequestLife(long arrived, int sequences, Action onStarted, Action onEnded, CancellationToken cancellation)
{
    private volatile bool _isAbandoned;
    private int _toStart = sequences;
    private int _toEnd = sequences;

    private Action? _alsoOnEnded;
    private volatile bool _hasBegun;

    public long Arrived => arrived;

    public CancellationToken Cancellation => cancellation;

    public bool IsOver => _isAbandoned || cancellation.IsCancellationRequested;

    /// <summary>Whether any of its sequences has had a slot.</summary>
    public bool HasBegun => _hasBegun;

    public bool HasEnded => Volatile.Read(ref _toEnd) == 0;

    public Standing Standing { get; init; } = Standing.Default;

    /// <summary>For logs.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>Nobody wants it any more, and whoever waited was told.</summary>
    public void Abandon() => _isAbandoned = true;

    /// <summary>Tells one more when the last sequence has ended, at once if it has.</summary>
    public void WhenEnded(Action action)
    {
        _alsoOnEnded = action;
        if (HasEnded)
        {
            Interlocked.Exchange(ref _alsoOnEnded, null)?.Invoke();
        }
    }

    public void SequenceStarted()
    {
        _hasBegun = true;
        if (Interlocked.Decrement(ref _toStart) == 0)
        {
            onStarted();
        }
    }

    public void SequenceEnded()
    {
        if (Interlocked.Decrement(ref _toEnd) == 0)
        {
            onEnded();
            Interlocked.Exchange(ref _alsoOnEnded, null)?.Invoke();
        }
    }
}
