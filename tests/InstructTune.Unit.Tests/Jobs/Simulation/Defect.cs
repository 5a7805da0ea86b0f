namespace InstructTune.Unit.Tests.Jobs.Simulation;

/// <summary>Mistakes that somebody could make, to show that the simulation notices them.</summary>
internal enum Defect
{
    None,

    /// <summary>Whoever knows a job may write to it.</summary>
    AttemptNotCompared,

    /// <summary>A renewal is answered and changes nothing.</summary>
    LeaseNotExtended,

    /// <summary>Two events of a job have one number.</summary>
    SequenceNotIncremented,

    /// <summary>A result is accepted after a cancel was acknowledged.</summary>
    PublishedAfterCancel,

    /// <summary>A report that is sent again is written again.</summary>
    RepeatedReportWritten,

    /// <summary>The worker counts its lease from the answer instead of from the question.</summary>
    LeaseCountedFromAnswer,

    /// <summary>A lost worker is not counted, so that a poisonous job never fails.</summary>
    LossNotCounted,

    /// <summary>Completion alone does not compare the attempt.</summary>
    CompletionNotFenced,

    /// <summary>The worker counts its lease on a clock that somebody sets back.</summary>
    LeaseOnLocalClock,

    /// <summary>The reaper takes what it saw expired a look ago, whoever holds it now.</summary>
    ReapedWithoutAttempt,

    /// <summary>The result is published before the last step was reported.</summary>
    PublishedBeforeReport,

    /// <summary>An attempt goes on from the newest checkpoint on the disk, whether or not a report named it.</summary>
    ResumedFromUnreported,
}
