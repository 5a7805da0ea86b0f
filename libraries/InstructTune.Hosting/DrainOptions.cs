namespace InstructTune.Hosting;

/// <summary>How a process ends that was asked to.</summary>
public sealed class DrainOptions
{
    public const string Section = "Drain";

    /// <summary>
    /// Longest time that calls under way may take to finish. Meanwhile the process says that it is not ready and refuses new ones. Keep it
    /// ten seconds below what kills the process, such as terminationGracePeriodSeconds.
    /// </summary>
    public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(25);
}
