using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Hosting;

/// <summary>The Watch contract that every kind of job keeps: replay after a sequence, follow, say so when nothing is new, end with the job.</summary>
public static class JobWatch
{
    /// <summary>Updates of one job for the answer stream of a Watch method.</summary>
    /// <param name="draining">Fires when this process stops: whoever watches goes on at another, from where it is.</param>
    /// <exception cref="DomainException"><c>FIELD_INVALID</c> for a negative sequence, <c>DRAINING</c> when the process stops.</exception>
    public static async IAsyncEnumerable<JobUpdate> FollowAsync(
        JobEvents events,
        string jobId,
        long afterSequence,
        Func<CheckpointBody, string> checkpointName,
        CancellationToken draining,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        new FieldViolations().Check(afterSequence >= 0, "after_sequence", "must not be negative").ThrowIfAny();
        var sent = afterSequence;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, draining);
        await using var entries = events.FollowAsync(jobId, afterSequence, ending.Token).GetAsyncEnumerator(ending.Token);
        while (await NextAsync(entries, draining, cancellationToken))
        {
            if (entries.Current is not { } entry)
            {
                yield return new JobUpdate { CaughtUpSequence = sent };
                continue;
            }

            sent = entry.Sequence;
            yield return new JobUpdate { Event = entry.ToProto(checkpointName) };
        }
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<JobEventEntry?> entries, CancellationToken draining, CancellationToken cancellationToken)
    {
        try
        {
            return await entries.MoveNextAsync();
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Draining.Exception();
        }
    }
}
