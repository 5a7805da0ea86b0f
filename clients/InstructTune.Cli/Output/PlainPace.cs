using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>
/// Which events deserve a line in plain output: changes always, metrics every tenth of the way or every ten seconds. Where many jobs follow each other, a brief
/// pace leaves of each its stages and its end.
/// </summary>
internal sealed class PlainPace(bool isBrief = false)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private long _tenth = -1;
    private string _stage = "";
    private DateTime _lastLine;

    public bool IsDue(JobEvent change, JobTracker tracker)
    {
        var time = change.CreateTime?.ToDateTime() ?? default;
        var isMeasured = change.EventCase == JobEvent.EventOneofCase.MetricsReported;
        var isDue = change.EventCase switch
        {
            JobEvent.EventOneofCase.StateChanged => !isBrief || tracker.HasEnded,
            JobEvent.EventOneofCase.StageStarted or JobEvent.EventOneofCase.PhaseStarted => !isBrief,
            JobEvent.EventOneofCase.MetricsReported => IsFar(tracker) || IsLongAgo(time),
            _ => false,
        };
        if (isDue)
        {
            (_tenth, _stage) = isMeasured ? (Tenth(tracker), tracker.StageId) : (_tenth, _stage);
            _lastLine = time;
        }
        else if (_lastLine == default)
        {
            _lastLine = time;
        }

        return isDue;
    }

    private static long Tenth(JobTracker tracker) => (long)(tracker.Fraction * 10);

    private bool IsFar(JobTracker tracker) => isBrief ? tracker.StageId != _stage : Tenth(tracker) != _tenth;

    private bool IsLongAgo(DateTime time) => time - _lastLine >= Longest;
}
