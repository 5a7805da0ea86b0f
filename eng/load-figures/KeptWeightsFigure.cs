using System.Diagnostics;
using InstructTune.Kernels;
using InstructTune.Modeling.Serving;

namespace InstructTune.LoadFigures;

/// <summary>What it takes to make codes of full weights, to keep them, and to read what was kept.</summary>
internal static class KeptWeightsFigure
{
    public static int Run(string folder, WeightFormat format)
    {
        var path = Path.Combine(folder, $"kept-{format}.gguf");
        var written = Seconds(() => KernelModelFolder.WriteQuantized(path, folder, format));
        var before = PeakMemory.Bytes();
        long size = 0;
        var read = Seconds(() => size = SizeOf(KernelModelFolder.LoadQuantized(path, folder, format)));
        var peak = PeakMemory.Bytes();
        var made = Seconds(() => SizeOf(KernelModelFolder.Load(folder, format)));
        Console.WriteLine(
            $"  {format} codes: made and written in {written:F1} s, read in {read:F1} s ({size / 1e9:F2} GB in memory, most {(peak - before) / 1e9:F2} GB more than before); "
            + $"made in memory alone in {made:F1} s");
        File.Delete(path);
        return 0;
    }

    private static long SizeOf(KernelLlama model)
    {
        using (model)
        {
            return model.SizeBytes;
        }
    }

    private static double Seconds(Action work)
    {
        var started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
