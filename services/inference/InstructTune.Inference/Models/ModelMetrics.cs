using System.Diagnostics.Metrics;
using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Models;

/// <summary>Instruments of models coming and going.</summary>
internal sealed class ModelMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Histogram<double> _loadSeconds;
    private readonly Counter<long> _loads;
    private readonly Counter<long> _evictions;

    public ModelMetrics(IMeterFactory meters, ModelResidency residency)
    {
        _meter = meters.Create(EngineMetrics.MeterName);
        _loadSeconds = _meter.CreateHistogram("instructtune.inference.adapter_load", "s", "Reading an adapter until it can answer.", advice: SecondsAdvice.Value);
        _loads = _meter.CreateCounter<long>("instructtune.inference.adapter_loads", "{adapter}", "Adapters that were read.");
        _evictions = _meter.CreateCounter<long>("instructtune.inference.adapter_evictions", "{adapter}", "Adapters that left the memory.");
        _meter.CreateObservableGauge("instructtune.inference.adapter_resident", () => residency.Count.Adapters, "{adapter}", "Adapters in memory.");
        _meter.CreateObservableGauge("instructtune.inference.base_resident", () => residency.Count.Bases, "{model}", "Bases in memory.");
        _meter.CreateObservableGauge("instructtune.inference.memory", () => Parts(residency.Count), "By", "Memory of models, with the caches of bases.");
    }

    public void RecordLoad(TimeSpan duration, string outcome)
    {
        _loadSeconds.Record(duration.TotalSeconds);
        _loads.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
    }

    public void RecordEviction() => _evictions.Add(1);

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Parts(ResidentCount count) =>
    [
        new(count.BaseBytes, new KeyValuePair<string, object?>("part", "bases")),
        new(count.AdapterBytes, new KeyValuePair<string, object?>("part", "adapters")),
    ];
}
