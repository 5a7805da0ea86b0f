using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Standalone;

/// <summary>What a watcher of one job saw, across every server it watched on.</summary>
internal sealed class JobHistory(string name)
{
    private readonly List<JobEvent> _events = [];

    public IReadOnlyList<JobEvent> Events => _events;

    /// <summary>Watches on from the last event seen, until the condition holds or the job has ended.</summary>
    public async Task WatchAsync(InstructTuneClient client, Func<JobEvent, bool> until, CancellationToken ct)
    {
        var after = _events.Count == 0 ? 0 : _events[^1].Sequence;
        await foreach (var entry in client.FineTuneJob(name).WatchAsync(after, ct))
        {
            _events.Add(entry);
            if (until(entry))
            {
                return;
            }
        }
    }

    public Task WatchToEndAsync(InstructTuneClient client, CancellationToken ct) => WatchAsync(client, static _ => false, ct);

    /// <summary>J2, J4, J5: sequences 1..n, one end, and nothing after it.</summary>
    public void Check(FineTuneJob job)
    {
        Assert.Equal(Enumerable.Range(1, _events.Count).Select(number => (long)number), _events.Select(entry => entry.Sequence));
        Assert.Equal(job.Job.LastEventSequence, _events.Count);
        Assert.Single(_events, entry => entry.StateChanged is { To: JobState.Succeeded });
        Assert.Equal(job.Job.State, _events[^1].StateChanged.To);
        Assert.True(_events.Zip(_events.Skip(1)).All(pair => pair.Second.Attempt >= pair.First.Attempt), "An older attempt wrote after a newer one.");
    }

    /// <summary>The loss of every step: of steps reported twice, the greater attempt's.</summary>
    public IReadOnlyList<(long Step, double Loss)> Losses() =>
    [
        .. _events.Where(entry => entry.MetricsReported is not null)
            .GroupBy(entry => entry.MetricsReported.Step)
            .OrderBy(steps => steps.Key)
            .Select(steps => (steps.Key, steps.MaxBy(entry => entry.Attempt)!.MetricsReported.Values["training_loss"])),
    ];

    public int ReportedSteps => _events.Count(entry => entry.MetricsReported is not null);
}
