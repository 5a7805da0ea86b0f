using System.Diagnostics.Metrics;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Serving;

/// <summary>Instruments of requests. Labels are versions from a bounded set; what is beyond it is <c>other</c>.</summary>
internal sealed class RequestMetrics : IDisposable
{
    /// <summary>A label where there is nothing to name: a request that failed before its model was known, or that ends for no reason of its text.</summary>
    public const string None = "none";

    private readonly Meter _meter;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _timePerToken;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _queue;
    private readonly Histogram<double> _prefill;
    private readonly Histogram<double> _decode;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _cachedTokens;
    private readonly Counter<long> _outputTokens;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _cancelled;

    public RequestMetrics(IMeterFactory meters, AdmissionGate gate)
    {
        _meter = meters.Create(EngineMetrics.MeterName);
        _timeToFirstToken = Seconds("gen_ai.server.time_to_first_token", "From arrival to the first token.");
        _timePerToken = Seconds("gen_ai.server.time_per_output_token", "From one token to the next, on average over a request.");
        _duration = Seconds("gen_ai.server.request.duration", "From arrival to the end.");
        _queue = Seconds("instructtune.inference.queue", "From arrival to a slot.");
        _prefill = Seconds("instructtune.inference.prefill", "From a slot to the first token.");
        _decode = Seconds("instructtune.inference.decode", "From the first token to the last.");
        _requests = _meter.CreateCounter<long>("instructtune.inference.request", "{request}", "Requests that ended.");
        _promptTokens = _meter.CreateCounter<long>("instructtune.inference.prompt_tokens", "{token}", "Prompt tokens of finished texts, and scored tokens with what comes before them.");
        _cachedTokens = _meter.CreateCounter<long>("instructtune.inference.cached_tokens", "{token}", "Of those, what came from the prefix cache.");
        _outputTokens = _meter.CreateCounter<long>("instructtune.inference.generation_tokens", "{token}", "Tokens of finished texts.");
        _rejected = _meter.CreateCounter<long>("instructtune.inference.rejected", "{request}", "Requests that found no place.");
        _cancelled = _meter.CreateCounter<long>("instructtune.inference.cancelled", "{request}", "Requests that ended before their answer: nobody waited any more.");
        _meter.CreateObservableGauge(
            "instructtune.inference.queued_prompt_tokens", () => UrgencyLabel.Of(gate.WaitingTokensByUrgency), "{token}", "Prompt tokens that wait.");
    }

    /// <param name="model">A label.</param>
    /// <param name="urgency">Of the request: who pays by the token has a price for each.</param>
    /// <param name="promptTokens">Of its prompt.</param>
    /// <param name="figures">Of all of its candidates together.</param>
    /// <param name="candidates">How many were made side by side: each waits for its own tokens only.</param>
    /// <param name="duration">From arrival to the end.</param>
    public void RecordText(string model, Urgency urgency, int promptTokens, GenerationFigures figures, int candidates, TimeSpan duration)
    {
        var label = ModelLabel(model);
        _timeToFirstToken.Record(figures.TimeToFirstToken.TotalSeconds, label);
        _queue.Record(figures.QueueTime.TotalSeconds, label);
        _prefill.Record((figures.TimeToFirstToken - figures.QueueTime).TotalSeconds, label);
        _decode.Record((duration - figures.TimeToFirstToken).TotalSeconds, label);
        _duration.Record(duration.TotalSeconds, label);
        if (figures.OutputTokens > candidates)
        {
            _timePerToken.Record((duration - figures.TimeToFirstToken).TotalSeconds * candidates / (figures.OutputTokens - candidates), label);
        }
        var classLabel = UrgencyLabel.For(urgency);
        _promptTokens.Add(promptTokens, label, classLabel);
        _cachedTokens.Add(figures.CachedTokens, label, classLabel);
        _outputTokens.Add(figures.OutputTokens, label, classLabel);
    }

    /// <summary>Tokens of a request that makes none: those that it gave.</summary>
    public void RecordScored(string model, Urgency urgency, long promptTokens, long cachedTokens)
    {
        _promptTokens.Add(promptTokens, ModelLabel(model), UrgencyLabel.For(urgency));
        _cachedTokens.Add(cachedTokens, ModelLabel(model), UrgencyLabel.For(urgency));
    }

    public void RecordEnd(string model, string finishReason, string code) => _requests.Add(
        1, ModelLabel(model), new KeyValuePair<string, object?>("finish_reason", finishReason), new KeyValuePair<string, object?>("code", code));

    public void RecordRejected(string reason) => _rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void RecordCancelled(string reason) => _cancelled.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => _meter.Dispose();

    private Histogram<double> Seconds(string name, string description) => _meter.CreateHistogram(name, "s", description, advice: SecondsAdvice.Value);

    private static KeyValuePair<string, object?> ModelLabel(string model) => new("model", model);
}
