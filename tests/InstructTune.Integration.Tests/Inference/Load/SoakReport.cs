using System.Collections.Concurrent;
using System.Globalization;

namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>What came of a soak. Written by many.</summary>
internal sealed class SoakReport
{
    private readonly ConcurrentDictionary<string, int> _outcomes = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly ConcurrentQueue<string> _faults = new();

    public IReadOnlyCollection<string> Wrong => _wrong;

    /// <summary>Answers that no request of the run may have.</summary>
    public IReadOnlyCollection<string> Faults => _faults;

    /// <summary>What the two servers logged as errors meanwhile, with stacks.</summary>
    public IReadOnlyCollection<string> Errors { get; set; } = [];

    public int Total => _outcomes.Values.Sum();

    /// <summary>Average resident bytes of each minute.</summary>
    public List<long> MinuteBytes { get; } = [];

    public void Count(string outcome) => _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);

    public void AddWrong(string what) => _wrong.Enqueue(what);

    public void AddFault(string what) => _faults.Enqueue(what);

    public int Of(string outcome) => _outcomes.GetValueOrDefault(outcome);

    public override string ToString()
    {
        var outcomes = string.Join(", ", _outcomes.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key} {entry.Value}"));
        var minutes = string.Join(" ", MinuteBytes.Select(bytes => (bytes / 1e6).ToString("0", CultureInfo.InvariantCulture)));
        var trouble = string.Join("\n", Wrong.Take(3).Concat(Faults.Take(5)).Concat(Errors.Take(5)));
        return $"{Total} requests ({outcomes}); {Wrong.Count} wrong answers; RSS by minute in MB: {minutes}\n{trouble}";
    }
}
