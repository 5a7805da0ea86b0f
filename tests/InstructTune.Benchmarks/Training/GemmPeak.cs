using static TorchSharp.torch;

namespace InstructTune.Benchmarks.Training;

/// <summary>What libtorch's float32 product reaches in this process: the best of many, over squares that no cache holds.</summary>
internal static class GemmPeak
{
    private const int Side = 2048;
    private const double Seconds = 1.2;

    /// <summary>Floating-point operations a second.</summary>
    public static double Measure()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var (a, b, c) = (rand(Side, Side), rand(Side, Side), zeros(Side, Side));
        var (best, total) = (double.MaxValue, 0.0);
        while (total < Seconds)
        {
            var taken = Rounds.Time(() => c.addmm_(a, b, 0, 1));
            best = Math.Min(best, taken);
            total += taken;
        }

        return 2.0 * Side * Side * Side / best;
    }
}
