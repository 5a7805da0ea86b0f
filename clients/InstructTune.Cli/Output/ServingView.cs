using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>Two looks at a server's counters as rates; with one look, rates since its start.</summary>
internal sealed class ServingView
{
    private readonly ServingStats _now;
    private readonly ServingStats _before;
    private readonly double _seconds;

    public ServingView(ServingStats? before, ServingStats now)
    {
        _now = now;
        // A server that was started anew counts from zero again.
        _before = before is null || before.UpTime.ToTimeSpan() > now.UpTime.ToTimeSpan() ? new ServingStats { UpTime = new() } : before;
        _seconds = Math.Max((now.UpTime.ToTimeSpan() - _before.UpTime.ToTimeSpan()).TotalSeconds, 1e-3);
    }

    public string Line =>
        $"running {_now.RunningSequences}, waiting {_now.WaitingRequests}; " +
        $"tokens/s in {Rate(stats => stats.PromptTokenCount)}, out {Rate(stats => stats.OutputTokenCount)}; " +
        $"cache {Share(_now.CacheUsedBytes)} used, {Share(_now.CachePrefixBytes)} prefixes of {Formats.Size(_now.CacheTotalBytes)}; " +
        $"prefix hits {Hits()}; adapters {_now.ResidentAdapters}, bases {_now.ResidentBases}, {Formats.Size(_now.ModelBytes)}; " +
        $"preempted {_now.PreemptionCount}, refused {_now.RejectedCount}; up {Formats.Duration(_now.UpTime.ToTimeSpan())}";

    public Grid Models()
    {
        var grid = new Grid("model", "running", "requests", "failed", "prompt tokens", "cached", "output tokens", "tokens/s");
        foreach (var model in _now.Models)
        {
            var old = Before(model.ModelVersion);
            grid.Add(
                model.ModelVersion,
                Formats.Count(model.RunningCount),
                Formats.Count(model.RequestCount),
                Formats.Count(model.FailedCount),
                Formats.Count(model.PromptTokenCount),
                Formats.Count(model.CachedTokenCount),
                Formats.Count(model.OutputTokenCount),
                Formats.Count((model.OutputTokenCount - old) / _seconds));
        }

        return grid;
    }

    private string Rate(Func<ServingStats.Types.ModelStats, long> counter) =>
        Formats.Count((_now.Models.Sum(counter) - _before.Models.Sum(counter)) / _seconds);

    private string Share(long sizeBytes) => Formats.Percent(_now.CacheTotalBytes == 0 ? 0 : sizeBytes / (double)_now.CacheTotalBytes);

    private string Hits()
    {
        var queries = _now.PrefixQueryCount - _before.PrefixQueryCount;
        return queries == 0 ? "-" : Formats.Percent((_now.PrefixHitCount - _before.PrefixHitCount) / (double)queries);
    }

    private long Before(string model) => _before.Models.FirstOrDefault(stats => string.Equals(stats.ModelVersion, model, StringComparison.Ordinal))?.OutputTokenCount ?? 0;
}
