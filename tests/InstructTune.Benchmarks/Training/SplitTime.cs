using System.Diagnostics;

namespace InstructTune.Benchmarks.Training;

/// <summary>Time by what is being done, told of each change.</summary>
internal sealed class SplitTime<T>(T first)
    where T : struct, Enum
{
    private readonly Dictionary<T, double> _seconds = [];
    private T _current = first;
    private long _since = Stopwatch.GetTimestamp();
    private bool _isPaused;

    public double Total => _seconds.Values.Sum();

    public double Of(T part) => _seconds.GetValueOrDefault(part);

    public double ShareOf(T part) => Of(part) / Total;

    /// <summary>Forgets what was.</summary>
    public void Start()
    {
        _seconds.Clear();
        _since = Stopwatch.GetTimestamp();
    }

    public void Enter(T part)
    {
        Add();
        _current = part;
    }

    /// <summary>Leaves out what follows, or counts again.</summary>
    public void Pause(bool isPaused)
    {
        Add();
        _isPaused = isPaused;
    }

    private void Add()
    {
        var now = Stopwatch.GetTimestamp();
        if (!_isPaused)
        {
            _seconds[_current] = Of(_current) + Stopwatch.GetElapsedTime(_since, now).TotalSeconds;
        }

        _since = now;
    }
}
