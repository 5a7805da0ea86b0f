using InstructTune.Benchmarks.Traffic;

namespace InstructTune.Unit.Tests.Benchmarks.Traffic;

/// <summary>Requests with known times.</summary>
internal static class Traces
{
    public static RequestTrace Of(double sent, double ended, Outcome outcome, params (double At, int Tokens)[] outputs)
    {
        var trace = new RequestTrace(sent);
        foreach (var (at, tokens) in outputs)
        {
            trace.Add(at, tokens, cachedTokens: 0);
        }

        trace.End(ended, outcome);
        return trace;
    }
}
