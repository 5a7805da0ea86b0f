using InstructTune.Storage;
using Microsoft.Extensions.Logging;

namespace InstructTune.Jobs;

/// <summary>
/// Renews one attempt's lease from a thread that does nothing else, and stops the work the moment this worker can no
/// longer be sure that it holds the job: a renewal was refused, or a whole lease passed on the monotonic clock since
/// the last good renewal was sent. Whatever is written after that is refused by the store anyway.
/// </summary>
internal sealed partial class LeaseKeeper : IDisposable
{
    private readonly JobStore _store;
    private readonly LeaseOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly JobContext _context;
    private readonly ProgressWatchdog _watchdog;
    private readonly AutoResetEvent _poked = new(initialState: false);
    private readonly TaskCompletionSource _hung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStopped;
    private readonly Thread _thread;
    private readonly LeaseSchedule _schedule;
    private readonly long _acquired;

    /// <param name="acquired">Timestamp taken before the job was asked for.</param>
    public LeaseKeeper(
        JobStore store, LeaseOptions options, TimeProvider clock, ILogger logger, JobContext context, ProgressWatchdog watchdog, long acquired)
    {
        (_store, _options, _clock, _logger, _context, _watchdog) = (store, options, clock, logger, context, watchdog);
        (_acquired, _schedule) = (acquired, new LeaseSchedule(options.Duration, options.RenewalInterval, TimeSpan.Zero));
        _thread = new Thread(Run) { IsBackground = true, Name = $"lease {context.Job.Id}" };
        _thread.Start();
    }

    /// <summary>Ends when the lease is lost, the work has not ended within <see cref="LeaseOptions.HungLimit"/> after that, and it makes no progress.</summary>
    public Task Hung => _hung.Task;

    /// <summary>Asks at once instead of at the next interval, because something may have changed.</summary>
    public void RenewNow() => _poked.Set();

    public void Dispose()
    {
        _isStopped = true;
        _poked.Set();
        _thread.Join();
        _poked.Dispose();
    }

    private TimeSpan Now => _clock.GetElapsedTime(_acquired);

    private void Run()
    {
        while (true)
        {
            _poked.WaitOne(_schedule.UntilNextLook(Now));
            if (_isStopped)
            {
                return;
            }

            switch (_schedule.Next(Now, _watchdog.IsStalled))
            {
                case LeaseAction.Stop:
                    Log.LeaseLapsed(_logger, _context.Job.Id, _context.Job.Attempt, _options.Duration);
                    _context.RequestStop(StopReason.LeaseLost);
                    AwaitEnd();
                    return;

                case LeaseAction.Wait:
                    Log.Stalled(_logger, _context.Job.Id, _context.Job.Attempt);
                    break;

                case LeaseAction.Renew when !Renew():
                    AwaitEnd();
                    return;
            }
        }
    }

    // The work was told to end, and this thread has nothing else to do. A step that takes long is no hang: the watchdog knows them.
    private void AwaitEnd()
    {
        var lost = _clock.GetTimestamp();
        while (!_isStopped)
        {
            var left = _options.HungLimit - _clock.GetElapsedTime(lost);
            if (left <= TimeSpan.Zero && _watchdog.IsStalled)
            {
                _hung.SetResult();
                return;
            }

            _poked.WaitOne(left > TimeSpan.Zero ? left : _options.RenewalInterval);
        }
    }

    // False when the job is another worker's.
    private bool Renew()
    {
        var sent = Now;
        var outcome = TryRenew();
        switch (outcome)
        {
            case RenewOutcome.Fenced:
                Log.Superseded(_logger, _context.Job.Id, _context.Job.Attempt);
                _context.RequestStop(StopReason.LeaseLost);
                return false;

            case RenewOutcome.Cancelling:
                _context.RequestStop(StopReason.Cancel);
                break;

            case RenewOutcome.CheckpointAsked:
                _context.NoteCheckpointRequested(isRequested: true);
                break;
        }

        _schedule.Answered(sent, outcome is not null);
        return true;
    }

    // Null when no answer came.
    private RenewOutcome? TryRenew()
    {
        try
        {
            var renewal = _store.RenewAsync(_context.Job.Id, _context.Job.Attempt, _options.Duration, CancellationToken.None);
            return renewal.Wait(_schedule.Patience(Now)) ? renewal.Result : null;
        }
        catch (AggregateException exception) when (exception.InnerException is StoreUnreachableException)
        {
            return null;
        }
        catch (AggregateException exception)
        {
            Log.RenewalFailed(_logger, exception.InnerException, _context.Job.Id);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2001, LogLevel.Warning, "Job {Job}: attempt {Attempt} was superseded; stopping work.")]
        public static partial void Superseded(ILogger logger, string job, int attempt);

        [LoggerMessage(2002, LogLevel.Warning, "Job {Job}: attempt {Attempt} could not renew for {Duration}; stopping work.")]
        public static partial void LeaseLapsed(ILogger logger, string job, int attempt, TimeSpan duration);

        [LoggerMessage(2003, LogLevel.Warning, "Job {Job}: attempt {Attempt} makes no progress; its lease is not renewed any more.")]
        public static partial void Stalled(ILogger logger, string job, int attempt);

        [LoggerMessage(2004, LogLevel.Warning, "Job {Job}: the store refused a renewal.")]
        public static partial void RenewalFailed(ILogger logger, Exception? exception, string job);
    }
}
