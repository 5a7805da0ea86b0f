namespace InstructTune.Benchmarks.Traffic;

/// <summary>How many requests had what they were promised.</summary>
/// <param name="Share">Of all that were sent, the refused included.</param>
/// <param name="PerSecond">From the first that was sent to the last that ended.</param>
internal sealed record Goodput(double Share, double PerSecond)
{
    /// <summary>A request is good that was answered with its first token and its pace within these.</summary>
    public const double LongestFirstTokenSeconds = 2;

    public const double LongestSecondsPerToken = 0.25;

    public static Goodput Of(IReadOnlyCollection<RequestTrace> traces)
    {
        var good = traces.Count(IsGood);
        return traces.Count == 0 ? new(double.NaN, 0) : new((double)good / traces.Count, good / (traces.Max(trace => trace.Ended) - traces.Min(trace => trace.Sent)));
    }

    /// <summary>One token has no pace.</summary>
    public static bool IsGood(RequestTrace trace) => trace.Outcome == Outcome.Answered
        && trace.FirstTokenSeconds <= LongestFirstTokenSeconds && !(trace.SecondsPerToken > LongestSecondsPerToken);
}
