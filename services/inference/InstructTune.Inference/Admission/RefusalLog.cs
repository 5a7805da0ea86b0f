namespace InstructTune.Inference.Admission;

/// <summary>Says that requests are refused, now and then and how many: a flood of requests must not become one of lines.</summary>
internal sealed partial class RefusalLog(TimeProvider time, ILogger<RefusalLog> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long? _lastLine;
    private long _count;

    public void Count()
    {
        long count;
        lock (_lock)
        {
            _count++;
            if (_lastLine is { } last && time.GetElapsedTime(last) < Interval)
            {
                return;
            }
            (count, _count, _lastLine) = (_count, 0, time.GetTimestamp());
        }
        Refused(logger, count, Interval.TotalSeconds);
    }

    [LoggerMessage(6040, LogLevel.Warning, "{Count} requests found no place since the last line of this kind; there is one in {Seconds} s at most.")]
    private static partial void Refused(ILogger logger, long count, double seconds);
}
