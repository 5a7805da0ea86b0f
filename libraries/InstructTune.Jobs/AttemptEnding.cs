namespace InstructTune.Jobs;

/// <summary>How the work of an attempt came to its end, before the store was told.</summary>
internal sealed record AttemptEnding(string Result, JobFault? Fault, ReleaseKind? Release)
{
    public static AttemptEnding Done(string result) => new(result, null, null);

    public static AttemptEnding Fails(JobFault fault) => new("", fault, null);

    public static AttemptEnding Returns(ReleaseKind kind, JobFault? fault) => new("", fault, kind);

    public override string ToString() => (Release, Fault) switch
    {
        (ReleaseKind.Preempted, _) => "stopped in good order",
        ({ } kind, _) => $"given back ({kind})",
        (null, { } fault) => $"failed ({fault.Reason})",
        _ => "succeeded",
    };
}
