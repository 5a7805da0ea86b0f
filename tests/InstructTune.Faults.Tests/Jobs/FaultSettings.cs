using System.Globalization;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>How much of each fault: little in every run, all by <c>eng/run faults N SEED</c>, which sets INSTRUCTTUNE_FAULT_LONG.</summary>
internal static class FaultSettings
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("INSTRUCTTUNE_FAULT_LONG") == "1";

    public static int Seed { get; } = Number("INSTRUCTTUNE_FAULT_SEED", 1);

    /// <summary>Kills of a store or a server.</summary>
    public static int Kills { get; } = Number("INSTRUCTTUNE_FAULT_KILLS", IsLong ? 25 : 1);

    /// <summary>Random cases of what takes milliseconds.</summary>
    public static int Cases { get; } = Number("INSTRUCTTUNE_FAULT_CASES", IsLong ? 10_000 : 60);

    /// <summary>Requests that are each sent several times.</summary>
    public static int Duplicates { get; } = Number("INSTRUCTTUNE_FAULT_CASES", IsLong ? 1000 : 60);

    /// <summary>Events of a watched job.</summary>
    public static int Events { get; } = Number("INSTRUCTTUNE_FAULT_EVENTS", IsLong ? 10_000 : 1000);

    /// <summary>Says how to have the same run again.</summary>
    public static void Note(string test) => TestContext.Current.TestOutputHelper?.WriteLine(
        $"seed={Seed} kills={Kills} cases={Cases} events={Events} replay: INSTRUCTTUNE_FAULT_KILLS={Kills} INSTRUCTTUNE_FAULT_CASES={Cases} INSTRUCTTUNE_FAULT_SEED={Seed} ({test})");

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
