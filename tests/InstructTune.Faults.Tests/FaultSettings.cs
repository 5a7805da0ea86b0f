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

    private static int Percent { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("INSTRUCTTUNE_FAULT_PERCENT"), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) ? percent : 100;

    /// <summary>How often, in this form of the run; INSTRUCTTUNE_FAULT_PERCENT shortens the long form.</summary>
    public static int Count(int inTheSuite, int inTheLongForm) => IsLong ? Math.Max(inTheSuite, inTheLongForm * Percent / 100) : inTheSuite;

    /// <summary>Kills of a store or a server.</summary>
    public static int Kills { get; } = Count(1, 25);

    /// <summary>Random cases of what takes milliseconds.</summary>
    public static int Cases { get; } = Count(60, 10_000);

    /// <summary>Requests that are each sent several times.</summary>
    public static int Duplicates { get; } = Count(60, 1000);

    /// <summary>Events of a watched job.</summary>
    public static int Events { get; } = Count(1000, 10_000);

    /// <summary>Says how to run the same again, and gives the randomness of the test.</summary>
    public static Random Begin(string fault, [CallerMemberName] string test = "") => Begin(TestContext.Current.TestOutputHelper!, fault, test);

    /// <inheritdoc cref="Begin(string, string)"/>
    public static Random Begin(ITestOutputHelper output, string fault, [CallerMemberName] string test = "")
    {
        output.WriteLine($"seed={Seed} long={IsLong} test={test} replay: eng/run faults {fault} {Seed}");
        return new Random(HashCode(Seed, test));
    }

    // Not the runtime's, which differs from process to process.
    private static int HashCode(int seed, string text) => text.Aggregate(seed, (hash, character) => unchecked((hash * 31) + character));
}
