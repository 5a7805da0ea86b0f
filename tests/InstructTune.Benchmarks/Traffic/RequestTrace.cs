namespace InstructTune.Benchmarks.Traffic;

/// <summary>How a request ended.</summary>
internal enum Outcome
{
    Running,
    Answered,
    Refused,

    /// <summary>The benchmark left.</summary>
    Left,
    Failed,
}

/// <summary>One streamed request as its caller saw it. Times are seconds since the start of the run. Written by its own call only.</summary>
internal sealed class RequestTrace(double sent)
{
    private readonly List<(double At, int Tokens)> _outputs = [];
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public double Sent { get; } = sent;

    /// <summary>Ends with the first output, or with the request when it has none.</summary>
    public Task Begun => _begun.Task;

    public Outcome Outcome { get; private set; } = Outcome.Running;

    public double Ended { get; private set; }

    public int CachedTokens { get; private set; }

    public IReadOnlyList<(double At, int Tokens)> Outputs => _outputs;

    public int Tokens => _outputs.Sum(output => output.Tokens);

    public double FirstAt => _outputs.Count == 0 ? double.PositiveInfinity : _outputs[0].At;

    /// <summary>Sent to the first streamed output.</summary>
    public double FirstTokenSeconds => FirstAt - Sent;

    /// <summary>(whole - time to the first) / (tokens - 1); NaN for one token.</summary>
    public double SecondsPerToken => Tokens > 1 ? (_outputs[^1].At - _outputs[0].At) / (Tokens - 1) : double.NaN;

    public void Add(double at, int tokens, int cachedTokens)
    {
        _outputs.Add((at, tokens));
        CachedTokens = cachedTokens;
        _begun.TrySetResult();
    }

    public void End(double at, Outcome outcome)
    {
        (Ended, Outcome) = (at, outcome);
        _begun.TrySetResult();
    }

    public int TokensWithin(Span window) => _outputs.Where(output => window.Contains(output.At)).Sum(output => output.Tokens);

    /// <summary>Gaps between streamed outputs.</summary>
    public IEnumerable<Span> Gaps() => _outputs.Zip(_outputs.Skip(1), (before, after) => new Span(before.At, after.At));
}

/// <summary>From then to then, in seconds since the start of the run.</summary>
internal readonly record struct Span(double From, double To)
{
    public double Seconds => To - From;

    public bool Contains(double at) => at >= From && at < To;

    public bool Overlaps(Span other) => From < other.To && other.From < To;
}
