namespace InstructTune.Jobs;

/// <summary>The work of one queue.</summary>
public interface IJobHandler
{
    /// <summary>
    /// Does the job and returns its result. When <paramref name="ct"/> fires (cancel, preemption, lost lease), it ends
    /// its step, saves a checkpoint unless the lease is lost, and throws <see cref="OperationCanceledException"/>.
    /// </summary>
    /// <exception cref="JobFailedException">The caller's fault, or one that would come back: the job fails, no retry.</exception>
    /// <exception cref="JobOutOfMemoryException">The device ran out of memory: one retry, with half the micro-batch.</exception>
    Task<string> RunAsync(JobContext context, CancellationToken ct);

    /// <summary>
    /// The store was told how the attempt ended; look there for how. A crash may come before this, so whatever is done here must also be found undone and
    /// done elsewhere.
    /// </summary>
    Task EndedAsync(string jobId, CancellationToken ct) => Task.CompletedTask;

    /// <summary>The work hangs, and the process is about to end: nothing waits for it any more.</summary>
    void Abandon()
    {
    }
}

/// <summary>Ends a job FAILED with no retry.</summary>
public sealed class JobFailedException(JobFault fault, Exception? cause = null) : Exception(fault.Message, cause)
{
    public JobFault Fault { get; } = fault;
}

/// <summary>The device has too little memory for this attempt.</summary>
public sealed class JobOutOfMemoryException(JobFault fault, Exception? cause = null) : Exception(fault.Message, cause)
{
    public JobFault Fault { get; } = fault;
}
