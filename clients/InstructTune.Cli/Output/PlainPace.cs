using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>Which events deserve a line in plain output: changes always, metrics every tenth of the way or every ten seconds.</summary>
internal sealed class PlainPace
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private long _tenth = -1;
    private DateTime _lastLine;

    public bool IsDue(JobEvent change, JobTracker tracker)
    {
        var time = change.CreateTime?.ToDateTime() ?? default;
        var isDue = change.EventCase switch
        {
            JobEvent.EventOneofCase.StateChanged or JobEvent.EventOneofCase.StageStarted or JobEvent.EventOneofCase.PhaseStarted => true,
            JobEvent.EventOneofCase.MetricsReported => (long)(tracker.Fraction * 10) != _tenth || time - _lastLine >= Longest,
            _ => false,
        };
        if (isDue)
        {
            _tenth = change.EventCase == JobEvent.EventOneofCase.MetricsReported ? (long)(tracker.Fraction * 10) : _tenth;
            _lastLine = time;
        }

        return isDue;
    }
}
