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
    // How often a renewal that got no answer is tried again, as a part of the renewal interval.
    private const int TriesPerInterval = 10;

    private readonly JobStore _store;
    private readonly LeaseOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly JobContext _context;
    private readonly ProgressWatchdog _watchdog;
    private readonly AutoResetEvent _poked = new(initialState: false);
    private volatile bool _isStopped;
    private readonly Thread _thread;
    private long _lastGood;

    /// <param name="acquired">Timestamp taken before the job was asked for.</param>
    public LeaseKeeper(
        JobStore store, LeaseOptions options, TimeProvider clock, ILogger logger, JobContext context, ProgressWatchdog watchdog, long acquired)
    {
        (_store, _options, _clock, _logger, _context, _watchdog) = (store, options, clock, logger, context, watchdog);
        _lastGood = acquired;
        _thread = new Thread(Run) { IsBackground = true, Name = $"lease {context.Job.Id}" };
        _thread.Start();
    }

    /// <summary>Asks at once instead of at the next interval, because something may have changed.</summary>
    public void RenewNow() => _poked.Set();

    public void Dispose()
    {
        _isStopped = true;
        _poked.Set();
        _thread.Join();
        _poked.Dispose();
    }

    private TimeSpan Remaining => _options.Duration - _clock.GetElapsedTime(_lastGood);

    private void Run()
    {
        var pause = _options.RenewalInterval;
        while (true)
        {
            _poked.WaitOne(Shorter(pause, Remaining));
            if (_isStopped)
            {
                return;
            }

            if (Remaining <= TimeSpan.Zero)
            {
                Log.LeaseLapsed(_logger, _context.Job.Id, _context.Job.Attempt, _options.Duration);
                _context.RequestStop(StopReason.LeaseLost);
                return;
            }

            if (_watchdog.IsStalled)
            {
                // Not renewed any more: the lease lapses, another worker takes over, and this one fences itself.
                Log.Stalled(_logger, _context.Job.Id, _context.Job.Attempt);
                continue;
            }

            var sent = _clock.GetTimestamp();
            switch (TryRenew())
            {
                case RenewOutcome.Fenced:
                    Log.Superseded(_logger, _context.Job.Id, _context.Job.Attempt);
                    _context.RequestStop(StopReason.LeaseLost);
                    return;

                case RenewOutcome.Cancelling:
                    _context.RequestStop(StopReason.Cancel);
                    goto case RenewOutcome.Extended;

                case RenewOutcome.CheckpointAsked:
                    _context.NoteCheckpointRequested(isRequested: true);
                    goto case RenewOutcome.Extended;

                case RenewOutcome.Extended:
                    _lastGood = sent;
                    pause = _options.RenewalInterval;
                    break;

                default:
                    pause = _options.RenewalInterval / TriesPerInterval;
                    break;
            }
        }
    }

    // Null when no answer came.
    private RenewOutcome? TryRenew()
    {
        try
        {
            var renewal = _store.RenewAsync(_context.Job.Id, _context.Job.Attempt, _options.Duration, CancellationToken.None);
            return renewal.Wait(Shorter(Remaining, _options.RenewalInterval)) ? renewal.Result : null;
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

    private static TimeSpan Shorter(TimeSpan first, TimeSpan second)
    {
        var shorter = first < second ? first : second;
        return shorter > TimeSpan.Zero ? shorter : TimeSpan.Zero;
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
