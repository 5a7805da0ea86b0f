namespace InstructTune.Jobs;

/// <summary>Where a job is in its life. The last three are terminal.</summary>
public enum JobState
{
    Queued,
    Running,
    Cancelling,
    Succeeded,
    Failed,
    Cancelled,
}

public static class JobStateNames
{
    public static bool IsTerminal(this JobState state) => state is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

    internal static string StoredName(this JobState state) => state switch
    {
        JobState.Queued => "QUEUED",
        JobState.Running => "RUNNING",
        JobState.Cancelling => "CANCELLING",
        JobState.Succeeded => "SUCCEEDED",
        JobState.Failed => "FAILED",
        JobState.Cancelled => "CANCELLED",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Unknown job state."),
    };

    internal static JobState Parse(string storedName) => storedName switch
    {
        "QUEUED" => JobState.Queued,
        "RUNNING" => JobState.Running,
        "CANCELLING" => JobState.Cancelling,
        "SUCCEEDED" => JobState.Succeeded,
        "FAILED" => JobState.Failed,
        "CANCELLED" => JobState.Cancelled,
        _ => throw new InvalidDataException($"`{storedName}` is not a job state."),
    };
}
