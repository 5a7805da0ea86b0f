using System.Diagnostics.Metrics;

namespace InstructTune.Inference.Engine;

/// <summary>The engine's instruments.</summary>
internal sealed class EngineMetrics : IDisposable
{
    public const string MeterName = "InstructTune.Inference";

    private readonly Meter _meter;
    private readonly TimeProvider _time;
    private readonly Histogram<double> _stepSeconds;
    private readonly Histogram<int> _stepRows;
    private readonly Histogram<int> _stepAdapters;
    private readonly Counter<long> _nonFinite;

    public EngineMetrics(IMeterFactory meters, TimeProvider time)
    {
        _meter = meters.Create(MeterName);
        _time = time;
        _stepSeconds = _meter.CreateHistogram("instructtune.inference.step", "s", "One step of the engine.", advice: SecondsAdvice.Value);
        _stepRows = _meter.CreateHistogram<int>("instructtune.inference.step_rows", "{row}", "Token positions in one step.");
        _stepAdapters = _meter.CreateHistogram<int>("instructtune.inference.step_adapters", "{adapter}", "Different adapters in one step.");
        _nonFinite = _meter.CreateCounter<long>("instructtune.inference.nonfinite", "{sequence}", "Sequences that failed on logits that are not finite.");
    }

    /// <summary>Makes the counters visible.</summary>
    public void Observe(EngineCounters counters)
    {
        _meter.CreateObservableGauge(
            "instructtune.inference.requests_running", () => UrgencyLabel.Of(counters.Snapshot.Running), "{sequence}", "Sequences that have a slot.");
        _meter.CreateObservableGauge(
            "instructtune.inference.requests_waiting", () => UrgencyLabel.Of(counters.Snapshot.Waiting), "{sequence}", "Sequences that wait for a slot.");
        _meter.CreateObservableGauge(
            "instructtune.inference.queue_age", () => UrgencyLabel.Of([.. counters.Snapshot.OldestWaiting.Select(AgeOf)]), "s", "How long the oldest has waited.");
        _meter.CreateObservableGauge(
            "instructtune.inference.heartbeat_age", () => AgeOf(counters.StepBegan == 0 ? null : counters.StepBegan), "s", "How long the step that runs has run.");
        _meter.CreateObservableGauge("instructtune.inference.kv", () => CacheBytes(counters.Snapshot), "By", "Cache memory by use.");
        _meter.CreateObservableGauge("instructtune.inference.prefix", () => counters.Snapshot.PrefixBytes, "By", "Cache memory of prefixes.");
        _meter.CreateObservableCounter(
            "instructtune.inference.prefix_queries", () => counters.Snapshot.PrefixQueries, "{token}", "Prompt tokens that could have been cached.");
        _meter.CreateObservableCounter("instructtune.inference.prefix_hits", () => counters.Snapshot.PrefixHits, "{token}", "Prompt tokens that were cached.");
        _meter.CreateObservableCounter(
            "instructtune.inference.preemptions", () => new Measurement<long>(counters.Snapshot.Preemptions, new KeyValuePair<string, object?>("reason", "memory")), "{sequence}", "Sequences that lost their slot and were computed again.");
    }

    public void RecordStep(TimeSpan duration, StepPlan plan)
    {
        _stepSeconds.Record(duration.TotalSeconds);
        _stepRows.Record(plan.Rows);
        _stepAdapters.Record(plan.AdapterCount);
    }

    public void RecordNonFinite() => _nonFinite.Add(1);

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> CacheBytes(EngineSnapshot snapshot) =>
    [
        new(snapshot.UsedBytes, new KeyValuePair<string, object?>("state", "used")),
        new(snapshot.PrefixBytes, new KeyValuePair<string, object?>("state", "prefix")),
        new(snapshot.TotalBytes - snapshot.UsedBytes - snapshot.PrefixBytes, new KeyValuePair<string, object?>("state", "free")),
    ];

    private double AgeOf(long? since) => since is { } stamp ? _time.GetElapsedTime(stamp).TotalSeconds : 0;
}
