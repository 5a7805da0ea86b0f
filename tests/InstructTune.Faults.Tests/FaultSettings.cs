using System.Globalization;
using System.Runtime.CompilerServices;

namespace InstructTune.Faults.Tests;

/// <summary>The seed and the length of a run. <c>eng/run faults N [SEED]</c> runs the long form of an attack.</summary>
internal static class FaultSettings
{
    /// <summary>Trait of a test: its number in docs/reliability.md.</summary>
    public const string Trait = "fault";

    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("INSTRUCTTUNE_FAULT_LONG") == "1";

    public static int Seed { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("INSTRUCTTUNE_FAULT_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : 20251;

    /// <summary>How often, in this form of the run; INSTRUCTTUNE_FAULT_PERCENT shortens the long form.</summary>
    public static int Count(int inTheSuite, int inTheLongForm) => IsLong ? Math.Max(inTheSuite, inTheLongForm * Percent / 100) : inTheSuite;

    private static int Percent { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("INSTRUCTTUNE_FAULT_PERCENT"), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) ? percent : 100;

    /// <summary>Says how to run the same again, and gives the randomness of the test.</summary>
    public static Random Begin(ITestOutputHelper output, string fault, [CallerMemberName] string test = "")
    {
        output.WriteLine($"seed={Seed} long={IsLong} test={test} replay: eng/run faults {fault} {Seed}");
        return new Random(HashCode(Seed, test));
    }

    // Not the runtime's, which differs from process to process.
    private static int HashCode(int seed, string text) => text.Aggregate(seed, (hash, character) => unchecked((hash * 31) + character));
}
