using System.Globalization;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>How much of each fault: little in every run, more by <c>eng/run faults N SEED</c>, which sets these variables.</summary>
internal static class FaultSettings
{
    public static int Seed { get; } = Number("INSTRUCTTUNE_FAULT_SEED", 1);

    /// <summary>Kills of a store or a server.</summary>
    public static int Kills { get; } = Number("INSTRUCTTUNE_FAULT_KILLS", 1);

    /// <summary>Random cases of what takes milliseconds.</summary>
    public static int Cases { get; } = Number("INSTRUCTTUNE_FAULT_CASES", 60);

    /// <summary>Events of a watched job.</summary>
    public static int Events { get; } = Number("INSTRUCTTUNE_FAULT_EVENTS", 1000);

    /// <summary>Says how to have the same run again.</summary>
    public static void Note(string test) => TestContext.Current.TestOutputHelper?.WriteLine(
        $"seed={Seed} kills={Kills} cases={Cases} events={Events} replay: INSTRUCTTUNE_FAULT_SEED={Seed} eng/run faults {Kills} {Seed} ({test})");

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
