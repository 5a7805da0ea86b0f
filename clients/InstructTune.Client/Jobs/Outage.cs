namespace InstructTune.Client;

/// <summary>How long a server has been away, and how long to wait before the next try.</summary>
internal sealed class Outage(TimeProvider time, TimeSpan limit)
{
    private bool _wasReached;
    private long? _since;
    private int _tries;

    public void Ended()
    {
        _wasReached = true;
        _since = null;
        _tries = 0;
    }

    /// <summary>Notes that the server is away; false once it has been for too long, or was never there.</summary>
    public bool GoesOn()
    {
        if (!_wasReached)
        {
            return false;
        }

        _since ??= time.GetTimestamp();
        return time.GetElapsedTime(_since.Value) < limit;
    }

    public TimeSpan NextWait(TimeSpan? asked, TimeSpan first, TimeSpan longest)
    {
        // The exponent is bounded, so that a long outage cannot overflow it.
        var wait = asked ?? first * Math.Pow(2, Math.Min(_tries++, 10));
        return wait < longest ? wait : longest;
    }
}
