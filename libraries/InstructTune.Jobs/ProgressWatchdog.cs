namespace InstructTune.Jobs;

/// <summary>
/// Notices that work hangs: no progress for the stall limit, or for 20 median steps where those take longer. A busy
/// heartbeat must not keep a hung job alive.
/// </summary>
internal sealed class ProgressWatchdog(TimeSpan stallLimit, TimeProvider clock)
{
    private const int MedianSteps = 20;
    private const int Remembered = 64;

    private readonly Lock _lock = new();
    private readonly Queue<TimeSpan> _steps = new();
    private long _last = clock.GetTimestamp();

    public bool IsStalled
    {
        get
        {
            lock (_lock)
            {
                return clock.GetElapsedTime(_last) > Limit();
            }
        }
    }

    public void Progressed()
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            _steps.Enqueue(clock.GetElapsedTime(_last, now));
            _last = now;
            if (_steps.Count > Remembered)
            {
                _steps.Dequeue();
            }
        }
    }

    private TimeSpan Limit()
    {
        if (_steps.Count == 0)
        {
            return stallLimit;
        }

        var median = _steps.Order().ElementAt(_steps.Count / 2);
        return median * MedianSteps > stallLimit ? median * MedianSteps : stallLimit;
    }
}
