using System.Runtime.CompilerServices;
using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Client;

/// <summary>A long-running job of the server. The job lives there: losing the handle changes nothing.</summary>
/// <typeparam name="TResource">The resource that carries the job.</typeparam>
public abstract class JobHandle<TResource>
    where TResource : class
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private readonly ClientOptions _options;

    private protected JobHandle(ClientOptions options, string name)
    {
        _options = options;
        Name = name;
    }

    /// <summary>The resource name of the job.</summary>
    public string Name { get; }

    /// <summary>Reads the job as it is now.</summary>
    /// <param name="ct">Cancels the call, not the job.</param>
    public abstract Task<TResource> GetAsync(CancellationToken ct = default);

    /// <summary>Asks the job to stop. Safe to repeat.</summary>
    /// <param name="ct">Cancels the call, not the job.</param>
    public abstract Task<TResource> CancelAsync(CancellationToken ct = default);

    /// <summary>
    /// Replays the events after <paramref name="afterSequence"/>, then follows, and ends after the event that made the job
    /// terminal. A broken connection is taken up again where it broke: every event comes once and in order. Events the server no
    /// longer keeps are skipped.
    /// </summary>
    /// <param name="afterSequence">The last sequence already seen; 0 for all.</param>
    /// <param name="ct">Stops watching; the job goes on.</param>
    /// <exception cref="InstructTuneException">The call was refused, or the server stayed away for too long.</exception>
    public async IAsyncEnumerable<JobEvent> WatchAsync(long afterSequence = 0, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var position = afterSequence;
        var outage = new Outage(_options.Time, _options.ReconnectTimeout);
        while (true)
        {
            await using var updates = OpenWatch(position, ct).GetAsyncEnumerator(ct);
            InstructTuneException? broken = null;
            while (true)
            {
                JobUpdate? update;
                try
                {
                    update = await updates.MoveNextAsync() ? updates.Current : null;
                }
                catch (InstructTuneException failure) when (CanResume(failure, outage, ref position))
                {
                    broken = failure;
                    break;
                }

                if (update is null)
                {
                    yield break;
                }

                outage.Ended();
                if (update.Event is { } next && next.Sequence > position)
                {
                    position = next.Sequence;
                    yield return next;
                }
            }

            await Task.Delay(outage.NextWait(broken.RetryAfter, FirstWait, LongestWait), _options.Time, ct);
        }
    }

    /// <summary>Waits until the job has ended, and reads it.</summary>
    /// <param name="ct">Stops waiting; the job goes on.</param>
    public async Task<TResource> WaitAsync(CancellationToken ct = default)
    {
        await foreach (var _ in WatchAsync(0, ct))
        {
        }

        return await GetAsync(ct);
    }

    private protected abstract IAsyncEnumerable<JobUpdate> OpenWatch(long afterSequence, CancellationToken ct);

    private static bool CanResume(InstructTuneException failure, Outage outage, ref long position)
    {
        if (failure.Reason == "EVENTS_TRIMMED"
            && failure.Metadata.TryGetValue("oldest_sequence", out var text)
            && long.TryParse(text, out var oldest)
            && oldest - 1 > position)
        {
            position = oldest - 1;
            return true;
        }

        // A reset connection arrives as INTERNAL or CANCELLED without details; our own stream deadline is no failure of the job.
        var isLost = failure.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded
            || (failure.Reason == LocalReasons.Unexplained && failure.StatusCode is StatusCode.Internal or StatusCode.Cancelled);
        return isLost && outage.GoesOn();
    }
}
