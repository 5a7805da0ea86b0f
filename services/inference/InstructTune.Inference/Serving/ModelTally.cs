using System.Collections.Concurrent;

namespace InstructTune.Inference.Serving;

/// <summary>What every version did since the start, by name; a bounded number of names, and one for all the others.</summary>
internal sealed class ModelTally
{
    public const string Other = "other";

    private const int MaxNames = 256;

    private readonly ConcurrentDictionary<string, ModelFigures> _models = new(StringComparer.Ordinal);
    private long _rejected;

    public long Rejected => Interlocked.Read(ref _rejected);

    /// <summary>A bounded set of names, for labels.</summary>
    public string NameOf(string model) => _models.ContainsKey(model) || _models.Count < MaxNames ? model : Other;

    public ModelFigures Of(string model) => _models.GetOrAdd(NameOf(model), _ => new ModelFigures());

    public void Reject() => Interlocked.Increment(ref _rejected);

    public IReadOnlyList<(string Model, ModelFigures Figures)> List() =>
        [.. _models.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value))];
}

/// <summary>Counters of one version.</summary>
internal sealed class ModelFigures
{
    private long _running;
    private long _requests;
    private long _failed;
    private long _promptTokens;
    private long _cachedTokens;
    private long _outputTokens;

    public long Running => Interlocked.Read(ref _running);

    public long Requests => Interlocked.Read(ref _requests);

    public long Failed => Interlocked.Read(ref _failed);

    public long PromptTokens => Interlocked.Read(ref _promptTokens);

    public long CachedTokens => Interlocked.Read(ref _cachedTokens);

    public long OutputTokens => Interlocked.Read(ref _outputTokens);

    public void Begin()
    {
        Interlocked.Increment(ref _running);
        Interlocked.Increment(ref _requests);
    }

    public void End(bool failed)
    {
        Interlocked.Decrement(ref _running);
        Interlocked.Add(ref _failed, failed ? 1 : 0);
    }

    public void Add(long promptTokens, long cachedTokens, long outputTokens)
    {
        Interlocked.Add(ref _promptTokens, promptTokens);
        Interlocked.Add(ref _cachedTokens, cachedTokens);
        Interlocked.Add(ref _outputTokens, outputTokens);
    }
}
