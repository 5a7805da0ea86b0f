using System.Diagnostics.Metrics;

namespace InstructTune.Inference.Engine;

/// <summary>The engine's instruments.</summary>
internal sealed class EngineMetrics : IDisposable
{
    public const string MeterName = "InstructTune.Inference";

    /// <summary>Bounds of vLLM's histogram of times to the first token, so that both can be read side by side.</summary>
    private static readonly double[] _secondsBounds =
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    private readonly Meter _meter;
    private readonly Histogram<double> _stepSeconds;
    private readonly Histogram<int> _stepRows;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _queueSeconds;
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _outputTokens;

    public EngineMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = _secondsBounds };
        _stepSeconds = _meter.CreateHistogram("instructtune.inference.step.duration", "s", "One step of the engine.", advice: advice);
        _stepRows = _meter.CreateHistogram<int>("instructtune.inference.batch.size", "{row}", "Token positions in one step.");
        _timeToFirstToken = _meter.CreateHistogram(
            "gen_ai.server.time_to_first_token", "s", "From arrival to the first token.", advice: advice);
        _queueSeconds = _meter.CreateHistogram("instructtune.inference.queue.duration", "s", "From arrival to a slot.", advice: advice);
        _promptTokens = _meter.CreateCounter<long>("instructtune.inference.prompt_tokens", "{token}", "Prompt tokens of finished texts.");
        _outputTokens = _meter.CreateCounter<long>("instructtune.inference.output_tokens", "{token}", "Tokens of finished texts.");
    }

    /// <summary>Makes the counters visible as gauges.</summary>
    public void Observe(EngineCounters counters)
    {
        _meter.CreateObservableGauge(
            "instructtune.inference.running", () => counters.Running, "{sequence}", "Sequences that have a slot.");
        _meter.CreateObservableGauge(
            "instructtune.inference.waiting", () => counters.Waiting, "{sequence}", "Sequences that wait for a slot.");
        _meter.CreateObservableGauge(
            "instructtune.inference.cache.used", () => counters.RentedBytes, "By", "Cache memory of running sequences.");
    }

    public void RecordStep(TimeSpan duration, int rows)
    {
        _stepSeconds.Record(duration.TotalSeconds);
        _stepRows.Record(rows);
    }

    public void RecordText(int promptTokens, GenerationFigures figures)
    {
        _timeToFirstToken.Record(figures.TimeToFirstToken.TotalSeconds);
        _queueSeconds.Record(figures.QueueTime.TotalSeconds);
        _promptTokens.Add(promptTokens);
        _outputTokens.Add(figures.OutputTokens);
    }

    public void Dispose() => _meter.Dispose();
}
