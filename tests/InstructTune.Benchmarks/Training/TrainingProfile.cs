using System.Diagnostics;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Benchmarks.Training;

/// <summary>Where the time of a micro-batch goes, and what each of its products reaches alone.</summary>
internal static class TrainingProfile
{
    private const int Rounds = 2;

    public static void Run(string[] names)
    {
        NativeHeap.KeepFreedBlocks();
        TorchThreads.Pin(names.Contains("one-thread", StringComparer.Ordinal) ? 1 : Environment.ProcessorCount);
        foreach (var row in TrainingBenchmark.Rows().Where(row => names.Contains(row.Name, StringComparer.Ordinal)))
        {
            Console.WriteLine($"{row.Name}: GEMM peak {GemmPeak.Measure() / 1e9:F0} GFLOP/s");
            PrintParts(row);
            PrintProducts(row);
        }
    }

    private static void PrintParts(TrainingRow row)
    {
        var seconds = new Dictionary<DriverWork, double>();
        using var trainee = new BenchmarkTrainee(row.Config, row.Rank);
        using var batch = PaddedBatch.Of(row.Batches[0]);
        var (current, since) = (DriverWork.Rows, Now());
        trainee.Working = Enter;
        trainee.Backward(batch, new StepSeed(1), batch.TrainedTokenCount, null);
        seconds.Clear();
        since = Now();
        for (var i = 0; i < Rounds; i++)
        {
            trainee.Backward(batch, new StepSeed(1), batch.TrainedTokenCount, null);
        }

        Enter(DriverWork.Rows);
        Console.WriteLine(string.Join(", ", seconds.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Key} {pair.Value / Rounds * 1000:F0} ms ({pair.Value / seconds.Values.Sum():P0})")));

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
