using InstructTune.Storage;
using Microsoft.Extensions.Logging;

namespace InstructTune.Jobs;

/// <summary>Runs one attempt from acquired to completed, released or lost.</summary>
internal sealed partial class JobAttempt(JobStore store, JobSignals signals, LeaseOptions options, TimeProvider clock, ILogger logger)
{
    /// <summary>Ends the process, which has a thread that hangs; null where it has other things to do.</summary>
    public Action? EndProcess { get; init; }

    /// <param name="job">The job as it was acquired.</param>
    /// <param name="acquired">Timestamp taken before the job was asked for.</param>
    /// <param name="handler">The work.</param>
    /// <param name="stopping">Fires when this process is ending.</param>
    /// <returns>False where the work hangs and <see cref="EndProcess"/> was called: its thread is of no use any more.</returns>
    public async Task<bool> RunAsync(JobRecord job, long acquired, IJobHandler handler, CancellationToken stopping)
    {
        using var activity = JobTelemetry.StartAttempt(store.Queue, job);
        using var scope = logger.BeginScope(new KeyValuePair<string, object?>[] { new("job", job.Id), new("attempt", job.Attempt), new("trace_id", activity?.TraceId.ToString()) });
        Log.Started(logger, job.Id, job.Attempt);
        var watchdog = new ProgressWatchdog(options.StallLimit, clock);
        await using var pump = new ReportPump(store, job, options.PollInterval, clock);
        using var context = new JobContext(job, pump, watchdog.Progressed);
        pump.Attach(context);
        using var keeper = new LeaseKeeper(store, options, clock, logger, context, watchdog, acquired);
        await using var preemption = stopping.Register(() => context.RequestStop(StopReason.Preempt));
        using var ended = new CancellationTokenSource();
        var listening = ListenForCancelAsync(context, keeper, ended.Token);

        var work = Claim(job) is { } refused ? Task.FromResult(refused) : WorkAsync(handler, context);
        if (await Task.WhenAny(work, keeper.Hung) != work)
        {
            Log.Hangs(logger, job.Id, job.Attempt, options.HungLimit);
            if (EndProcess is not null)
            {
                handler.Abandon();
                EndProcess();
                return false;
            }
        }

        var ending = await work;
        await pump.FlushAsync();
        var outcome = await EndAsync(context, pump, ending) ? OutcomeOf(context, ending) : "lost";
        JobTelemetry.AttemptEnded(store.Queue, outcome, clock.GetElapsedTime(acquired), activity);
        await ended.CancelAsync();
        await listening;
        await NotifyAsync(handler, job, stopping);
        return true;
    }

    // A number that was used before means that the store was rebuilt: what the other one writes must not be touched.
    private AttemptEnding? Claim(JobRecord job)
    {
        try
        {
            return store.Archive?.TryClaim(job) == false
                ? AttemptEnding.Returns(ReleaseKind.Infrastructure, new JobFault(JobFault.Internal, $"Attempt {job.Attempt} was taken before: the job store was rebuilt."))
                : null;
        }
        catch (IOException exception)
        {
            Log.Faulted(logger, exception, job.Id, job.Attempt);
            return AttemptEnding.Returns(ReleaseKind.Infrastructure, new JobFault(JobFault.Internal, "The attempt could not be noted in the archive: " + exception.Message));
        }
    }

    private async Task NotifyAsync(IJobHandler handler, JobRecord job, CancellationToken stopping)
    {
        try
        {
            await handler.EndedAsync(job.Id, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The process is ending; what is left undone is found and done later.
        }
        catch (Exception exception)
        {
            // The job has ended whatever happens here; what was left undone is found and done later.
            Log.NotifyFailed(logger, exception, job.Id, job.Attempt);
        }
    }

    // The handler may block: it gets a thread of its own kind, never the worker's loop.
    private async Task<AttemptEnding> WorkAsync(IJobHandler handler, JobContext context)
    {
        try
        {
            return AttemptEnding.Done(await Task.Run(() => handler.RunAsync(context, context.Stopping), CancellationToken.None));
        }
        catch (JobFailedException exception)
        {
            return AttemptEnding.Fails(exception.Fault);
        }
        catch (JobOutOfMemoryException exception)
        {
            return AttemptEnding.Returns(ReleaseKind.OutOfMemory, exception.Fault);
        }
        catch (OperationCanceledException) when (context.Stop != StopReason.None)
        {
            return AttemptEnding.Returns(ReleaseKind.Preempted, null);
        }
        catch (Exception exception)
        {
            // The border of the attempt: whatever else went wrong is an infrastructure fault, and tried again.
            Log.Faulted(logger, exception, context.Job.Id, context.Job.Attempt);
            return AttemptEnding.Returns(ReleaseKind.Infrastructure, new JobFault(JobFault.Internal, "The worker met an unexpected fault; its log has the details."));
        }
    }

    private static string OutcomeOf(JobContext context, AttemptEnding ending) => (ending.Release, ending.Fault) switch
    {
        (ReleaseKind.Preempted, _) => context.Stop == StopReason.Cancel ? "cancelled" : "preempted",
        ({ }, _) => "retried",
        (_, { }) => "failed",
        _ => "succeeded",
    };

    private async Task<bool> EndAsync(JobContext context, ReportPump pump, AttemptEnding ending)
    {
        var (id, attempt) = (context.Job.Id, context.Job.Attempt);
        while (context.Stop != StopReason.LeaseLost)
        {
            try
            {
                if (await TryEndAsync(context, pump, ending))
                {
                    Log.Ended(logger, id, attempt, ending.ToString());
                    return true;
                }

                break;
            }
            catch (StoreUnreachableException)
            {
                // The keeper ends this when the lease has lapsed.
                await Task.Delay(options.PollInterval, clock, CancellationToken.None);
            }
        }

        Log.WalkedAway(logger, id, attempt);
        return false;
    }

    // False when the job is not ours any more, or was ended by a call whose answer was lost.
    private async Task<bool> TryEndAsync(JobContext context, ReportPump pump, AttemptEnding ending)
    {
        var (id, attempt) = (context.Job.Id, context.Job.Attempt);
        if (ending.Release is { } kind)
        {
            return context.Stop == StopReason.Cancel && kind == ReleaseKind.Preempted
                ? await store.CompleteCancelledAsync(id, attempt) == CompleteOutcome.Done
                : await store.ReleaseAsync(id, attempt, kind, ending.Fault) != ReleaseOutcome.Fenced;
        }

        var outcome = ending.Fault is { } fault
            ? await store.CompleteFailedAsync(id, attempt, fault)
            : await store.CompleteSucceededAsync(id, attempt, pump.Checkpoint, ending.Result);
        return outcome switch
        {
            CompleteOutcome.Refused => await store.CompleteCancelledAsync(id, attempt) == CompleteOutcome.Done,
            CompleteOutcome.ComparisonFailed => throw new InvalidOperationException($"Job {id}: its checkpoint is not `{pump.Checkpoint}`."),
            _ => outcome == CompleteOutcome.Done,
        };
    }

    // A cancel is learnt at the next renewal or report; the news of it makes the renewal come at once.
    private async Task ListenForCancelAsync(JobContext context, LeaseKeeper keeper, CancellationToken ended)
    {
        try
        {
            await signals.ListenAsync(ended);
            while (context.Stop < StopReason.Cancel)
            {
                await signals.CancelOf(context.Job.Id).WaitAsync(ended);
                keeper.RenewNow();
            }
        }
        catch (OperationCanceledException)
        {
            // The attempt ended.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2010, LogLevel.Information, "Job {Job}: attempt {Attempt} started.")]
        public static partial void Started(ILogger logger, string job, int attempt);

        [LoggerMessage(2011, LogLevel.Information, "Job {Job}: attempt {Attempt} ended: {Ending}.")]
        public static partial void Ended(ILogger logger, string job, int attempt, string ending);

        [LoggerMessage(2012, LogLevel.Warning, "Job {Job}: attempt {Attempt} was lost; its work is not published.")]
        public static partial void WalkedAway(ILogger logger, string job, int attempt);

        [LoggerMessage(2013, LogLevel.Warning, "Job {Job}: attempt {Attempt} met a fault and gives the job back.")]
        public static partial void Faulted(ILogger logger, Exception exception, string job, int attempt);

        [LoggerMessage(2015, LogLevel.Critical, "Job {Job}: the work of attempt {Attempt} did not end within {Limit} after its lease was lost; it hangs, and no job is taken beside it.")]
        public static partial void Hangs(ILogger logger, string job, int attempt, TimeSpan limit);

        [LoggerMessage(2014, LogLevel.Warning, "Job {Job}: what follows the end of attempt {Attempt} failed; it is done when the job is next looked at.")]
        public static partial void NotifyFailed(ILogger logger, Exception exception, string job, int attempt);
    }
}
