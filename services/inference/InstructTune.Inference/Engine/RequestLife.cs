namespace InstructTune.Inference.Engine;

/// <summary>
/// What the sequences of one request share: when it came, as a time stamp of the engine's clock, whether it is still wanted, and who is
/// told when the last of them has started and when the last has ended. The token fires when the caller leaves and at its deadline.
/// </summary>
internal sealed class RequestLife(long arrived, int sequences, Action onStarted, Action onEnded, CancellationToken cancellation)
{
    private int _toStart = sequences;
    private int _toEnd = sequences;

    public long Arrived => arrived;

    public CancellationToken Cancellation => cancellation;

    public bool IsOver => cancellation.IsCancellationRequested;

    public void SequenceStarted()
    {
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
        }
    }
}
