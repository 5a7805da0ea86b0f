using System.Globalization;
using InstructTune.Benchmarks.Serving;
using InstructTune.Benchmarks.Text;
using InstructTune.Benchmarks.Traffic;
using InstructTune.Benchmarks.Training;

namespace InstructTune.Benchmarks;

/// <summary><c>InstructTune.Benchmarks NAME [ARGUMENT...]</c>: measures on this machine and prints what it measured.</summary>
internal static class Program
{
    private static readonly Dictionary<string, Action<string[]>> s_benchmarks = new(StringComparer.Ordinal)
    {
        ["tokenizer"] = TokenizerBenchmark.Run,
        ["training"] = TrainingBenchmark.Run,
        ["training-memory"] = MemoryBenchmark.Run,
        ["training-profile"] = TrainingProfile.Run,
        ["serving"] = ServingBenchmark.Run,
        ["traffic"] = TrafficBenchmark.Run,
        ["sampler"] = _ => SamplerBenchmark.Run(),
    };

    public static int Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (args.Length == 0 || !s_benchmarks.TryGetValue(args[0], out var run))
        {
            Console.Error.WriteLine($"Name one of: {string.Join(", ", s_benchmarks.Keys)}.");
            return 2;
        }

        run(args[1..]);
        return Environment.ExitCode;
    }
}
