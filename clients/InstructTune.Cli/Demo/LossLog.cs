using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>Collects losses from events; of a step reported twice, the report of the greater attempt counts.</summary>
internal sealed class LossLog
{
    private readonly SortedDictionary<long, (int Attempt, LossReport Report)> _reports = [];

    public IReadOnlyList<LossReport> Reports => [.. _reports.Values.Select(entry => entry.Report)];

    public void Add(JobEvent change)
    {
        if (change.EventCase != JobEvent.EventOneofCase.MetricsReported
            || !change.MetricsReported.Values.TryGetValue("training_loss", out var loss))
        {
            return;
        }

        var metrics = change.MetricsReported;
        if (!_reports.TryGetValue(metrics.Step, out var earlier) || earlier.Attempt <= change.Attempt)
        {
            _reports[metrics.Step] = (change.Attempt, new LossReport(metrics.StageId, metrics.Step, loss));
        }
    }
}
