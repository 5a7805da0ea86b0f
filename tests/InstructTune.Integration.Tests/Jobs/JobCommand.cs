using CsCheck;
using InstructTune.Jobs;

namespace InstructTune.Integration.Tests.Jobs;

internal enum CommandKind
{
    Create,
    Acquire,
    AcquireExpired,
    Renew,
    Report,
    Checkpoint,
    Rollback,
    Succeed,
    Fail,
    CompleteCancelled,
    Preempt,
    Fault,
    OutOfMemory,
    Cancel,
    Pause,
    RequestCheckpoint,
    Resume,
    Reap,
    Sweep,
    LoseEntry,
    RepeatEntry,
}

/// <summary>One random command: a job, whether its attempt is a stale one, whether its expectation is wrong, and how far its step goes.</summary>
internal sealed record JobCommand(CommandKind Kind, int Slot, bool IsStale, bool IsWrong, int Steps, JobPriority Priority)
{
    public const int Slots = 3;
    public const int MaxAttempts = 3;

    // Enough creates and acquires that most commands meet a job that runs.
    private static readonly CommandKind[] Frequent =
    [
        CommandKind.Create, CommandKind.Create, CommandKind.Acquire, CommandKind.Acquire, CommandKind.Acquire, CommandKind.AcquireExpired,
        CommandKind.AcquireExpired, CommandKind.Reap, CommandKind.Reap, CommandKind.Checkpoint, CommandKind.Fault, CommandKind.Fault,
    ];

    private static readonly CommandKind[] Kinds = [.. Enum.GetValues<CommandKind>(), .. Frequent];

    public static Gen<JobCommand> Gen { get; } = CsCheck.Gen.Select(
        CsCheck.Gen.Int[0, Kinds.Length - 1].Select(index => Kinds[index]),
        CsCheck.Gen.Int[0, Slots - 1],
        CsCheck.Gen.Int[0, 5],
        CsCheck.Gen.Int[0, 5],
        CsCheck.Gen.Int[-1, 2],
        CsCheck.Gen.Enum<JobPriority>(),
        (kind, slot, stale, wrong, steps, priority) => new JobCommand(kind, slot, stale == 0, wrong == 0, steps, priority));

    public CancelCause Cause => Kind == CommandKind.Pause ? CancelCause.Pause : CancelCause.Caller;

    public string Id => $"j{Slot}";

    public static JobFault Error { get; } = new("DATA_INVALID", "Row 3 is empty.");

    public ReleaseKind Release => Kind switch
    {
        CommandKind.Preempt => ReleaseKind.Preempted,
        CommandKind.OutOfMemory => ReleaseKind.OutOfMemory,
        _ => ReleaseKind.Infrastructure,
    };
}
