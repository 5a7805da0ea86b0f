using System.Diagnostics;
using System.Globalization;

namespace InstructTune.Fuzz;

/// <summary>
/// <c>InstructTune.Fuzz [TARGET|all] [COUNT] [SEED] [FOLDER]</c>: tries mutated inputs. Inputs that break a promise are written to FOLDER.
/// </summary>
internal static class Program
{
    private const int DefaultCount = 100_000;

    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(30);

    public static int Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var name = args.ElementAtOrDefault(0) ?? "all";
        var count = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : DefaultCount;
        var seed = args.Length > 2 ? ulong.Parse(args[2], CultureInfo.InvariantCulture) : 1;
        var folder = args.ElementAtOrDefault(3) ?? "fuzz-failures";
        var targets = FuzzTargets.All.Where(t => name == "all" || t.Name == name).ToList();
        if (targets.Count == 0)
        {
            Console.Error.WriteLine($"There is no target {name}. Targets: all, {string.Join(", ", FuzzTargets.All.Select(t => t.Name))}.");
            return 2;
        }

        return targets.Aggregate(0, (worst, target) => Math.Max(worst, Run(target, count, seed, folder)));
    }

    private static int Run(FuzzTarget target, int count, ulong seed, string folder)
    {
        var runner = new FuzzRunner(target);
        var started = Stopwatch.GetTimestamp();
        var worker = Task.Factory.StartNew(() => runner.Run(count, seed), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (!worker.Wait(TimeSpan.FromSeconds(1)))
        {
            var (number, begun) = runner.Current;
            if (begun != 0 && Stopwatch.GetElapsedTime(begun) > s_hang)
            {
                Console.Error.WriteLine($"{target.Name}: input {number} of seed {seed} has not ended after {s_hang.TotalSeconds:F0} s.");
                Environment.Exit(3);
            }
        }

        var report = worker.Result;
        Console.WriteLine(
            $"{report.Target}: {report.Inputs} inputs, {report.Accepted} accepted, {report.Refused} refused, longest {report.Longest.TotalMilliseconds:F1} ms, "
            + $"most memory {report.MostAllocatedBytes:N0} bytes ({report.MostOfLimit:P0} of the limit), {report.Failures.Count} failures, "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s");
        foreach (var failure in report.Failures)
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, $"{target.Name}-{seed}-{failure.Number}.bin");
            using (var stream = File.Create(path))
            {
                stream.Write(failure.Input);
            }

            Console.WriteLine($"  input {failure.Number} ({path}): {failure.Problem}");
        }

        return report.Failures.Count == 0 ? 0 : 1;
    }
}
