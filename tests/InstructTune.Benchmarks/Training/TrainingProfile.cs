using System.Diagnostics;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Benchmarks.Training;

/// <summary>Where the time of a micro-batch goes, and what each of its products reaches alone.</summary>
internal static class TrainingProfile
{
    // The best of each kind: what else runs on the machine only takes away.
    private const int LeastRounds = 3;
    private const double Seconds = 8;

    public static void Run(string[] names)
    {
        NativeHeap.KeepFreedBlocks();
        TorchThreads.Pin(names.Contains("one-thread", StringComparer.Ordinal) ? 1 : Environment.ProcessorCount);
        foreach (var row in TrainingBenchmark.Rows().Where(row => names.Contains(row.Name, StringComparer.Ordinal)))
        {
            Console.WriteLine($"{row.Name}: GEMM peak {GemmPeak.Measure() / 1e9:F0} GFLOP/s");
            PrintParts(row);
            if (!names.Contains("parts", StringComparer.Ordinal))
            {
                PrintProducts(row);
            }
        }
    }

    private static void PrintParts(TrainingRow row)
    {
        var best = new Dictionary<DriverWork, double>();
        var speed = ProcessorSpeed.Measure(TorchThreads.Count);
        using var trainee = new BenchmarkTrainee(row.Config, row.Rank);
        using var batch = PaddedBatch.Of(row.Batches[0]);
        var seconds = new Dictionary<DriverWork, double>();
        var (current, since) = (DriverWork.Rows, Now());
        trainee.Working = Enter;
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; round <= LeastRounds || Stopwatch.GetElapsedTime(started).TotalSeconds < Seconds; round++)
        {
            seconds.Clear();
            since = Now();
            trainee.Backward(batch, new StepSeed(1), batch.TrainedTokenCount, null);
            Enter(DriverWork.Rows);
            foreach (var (work, taken) in seconds.Where(_ => round > 0))
            {
                best[work] = Math.Min(taken, best.GetValueOrDefault(work, double.MaxValue));
            }
        }

        var trained = row.Rank == 0 ? TrainedPart.OfWeights(row.Config) : TrainedPart.OfAdapter(row.Config, BenchmarkTrainee.LoraOf(row.Rank));
        var predicted = new DriverTime(row.Config, trained, speed).Parts(row.Batches[0], recomputes: false);
        Console.WriteLine($"{speed.FlopsPerSecond / 1e9:F0} GFLOP/s by our tiles, {speed.BytesPerSecond / 1e9:F1} GB/s; {best.Values.Sum():F2} s, predicted {predicted.Values.Sum():F2}");
        Console.WriteLine(string.Join(
            ", ",
            best.OrderByDescending(pair => pair.Value).Select(pair =>
                $"{pair.Key} {pair.Value * 1000:F0} ms ({pair.Value / best.Values.Sum():P0}; predicted {predicted[pair.Key] * 1000:F0})")));

        void Enter(DriverWork next)
        {
            var now = Now();
            seconds[current] = seconds.GetValueOrDefault(current) + (now - since);
            (current, since) = (next, now);
        }
    }

    // Processor time on one thread, which others cannot take; on several threads waiting counts too.
    private static double Now() => TorchThreads.Count == 1
        ? Environment.CpuUsage.TotalTime.TotalSeconds
        : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    private static void PrintProducts(TrainingRow row)
    {
        var config = row.Config;
        var rows = row.Batches[0].Sum(example => (long)example.Ids.Length);
        var attended = (long)config.QueryHeads * config.HeadWidth;
        (string Name, long Outputs, long Inputs)[] layers =
        [
            ("q k v", attended + (2L * config.KeyValueHeads * config.HeadWidth), config.ModelWidth), ("o", config.ModelWidth, attended),
            ("gate up", 2L * config.FeedForwardWidth, config.ModelWidth), ("down", config.ModelWidth, config.FeedForwardWidth),
        ];
        foreach (var (name, outputs, inputs) in layers)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            var (x, w, y) = (rand(rows, inputs), rand(outputs, inputs), rand(rows, outputs));
            var (dx, dw) = (rand(rows, inputs), rand(outputs, inputs));
            Console.WriteLine(
                $"  {name} {rows} x {inputs} x {outputs}: forward {Rate(() => y.addmm_(x, w.t(), 0, 1)):F0}, inputs back {Rate(() => dx.addmm_(y, w, 0, 1)):F0}, "
                    + $"weights back {Rate(() => dw.addmm_(y.t(), x, 0, 1)):F0} GFLOP/s");

            double Rate(Action product) =>
                2.0 * rows * inputs * outputs / Enumerable.Range(0, 12).Min(_ => Benchmarks.Rounds.Time(product)) / 1e9;
        }
    }
}
