using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Hosting;

/// <summary>The Watch contract that every kind of job keeps: replay after a sequence, follow, say so when nothing is new, end with the job.</summary>
public static class JobWatch
{
    /// <summary>Updates of one job for the answer stream of a Watch method.</summary>
    /// <exception cref="DomainException"><c>FIELD_INVALID</c> for a negative sequence.</exception>
    public static async IAsyncEnumerable<JobUpdate> FollowAsync(
        JobEvents events,
        string jobId,
        long afterSequence,
        Func<CheckpointBody, string> checkpointName,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        new FieldViolations().Check(afterSequence >= 0, "after_sequence", "must not be negative").ThrowIfAny();
        var sent = afterSequence;
        await foreach (var entry in events.FollowAsync(jobId, afterSequence, cancellationToken))
        {
            if (entry is null)
            {
                yield return new JobUpdate { CaughtUpSequence = sent };
                continue;
            }

            sent = entry.Sequence;
            yield return new JobUpdate { Event = entry.ToProto(checkpointName) };
        }
    }
}
