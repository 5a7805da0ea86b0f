using System.Diagnostics.Metrics;

namespace InstructTune.Inference.Engine;

/// <summary>Bounds of vLLM's histogram of times to the first token, so that both can be read side by side.</summary>
internal static class SecondsAdvice
{
    public static InstrumentAdvice<double> Value { get; } = new()
    {
        HistogramBucketBoundaries = [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560],
    };
}
