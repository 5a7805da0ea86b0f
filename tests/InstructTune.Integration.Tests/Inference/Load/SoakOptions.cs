using System.Globalization;

namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>How long and how hard. The long forms are <c>eng/run serving-soak</c> and <c>eng/run serving-overload</c>.</summary>
internal sealed record SoakOptions(TimeSpan Duration, int Seed, double RequestsPerSecond)
{
    /// <summary>Builds the defect in that the run must notice.</summary>
    public bool LeavesOutAdapterDigest { get; init; }

    public static double Setting(string name, double standard) =>
        double.Parse(Environment.GetEnvironmentVariable(name) ?? standard.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
