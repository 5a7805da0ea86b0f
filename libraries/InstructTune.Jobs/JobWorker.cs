using InstructTune.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InstructTune.Jobs;

/// <summary>Takes jobs of one queue, one at a time, and runs them. Waits for the store where it is away.</summary>
public sealed partial class JobWorker : BackgroundService
{
    private readonly JobStore _store;
    private readonly JobSignals _signals;
    private readonly IJobHandler _handler;
    private readonly LeaseOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly string _name = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():N}";

    internal JobWorker(JobStore store, JobSignals signals, IJobHandler handler, LeaseOptions options, TimeProvider clock, ILogger<JobWorker> logger)
    {
        (_store, _signals, _handler, _options, _clock, _logger) = (store, signals, handler, options, clock, logger);
    }

    /// <summary>
    /// Fires as soon as the process is asked to end. Workers are stopped after the servers of their process, and a server waits
    /// for the calls that a job makes to it: without this the one would wait for the other.
    /// </summary>
    internal CancellationToken ProcessEnding { get; init; }

    /// <summary>Ends the process when work hangs; null where the process has other things to do.</summary>
    internal Action? EndProcess { get; init; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, ProcessEnding);
        await TakeJobsAsync(linked.Token);
    }

    private async Task TakeJobsAsync(CancellationToken stoppingToken)
    {
        var attempt = new JobAttempt(_store, _signals, _options, _clock, _logger) { EndProcess = EndProcess };
        try
        {
            while (true)
            {
                stoppingToken.ThrowIfCancellationRequested();
                var wake = _signals.Wake;
                var asked = _clock.GetTimestamp();
                if (await TryAcquireAsync(stoppingToken) is { } job)
                {
                    if (!await attempt.RunAsync(job, asked, _handler, stoppingToken))
                    {
                        return;
                    }
                }
                else
                {
                    await _signals.WaitAsync(wake, _options.PollInterval, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is ending.
        }
    }

    private async Task<JobRecord?> TryAcquireAsync(CancellationToken ct)
    {
        try
        {
            await _signals.ListenAsync(ct);
            // An answer must not be given up for the process ending: the job would wait for its lease to run out.
            return await _store.AcquireAsync(_name, Environment.MachineName, _options.Duration, CancellationToken.None);
        }
        catch (StoreUnreachableException exception)
        {
            Log.StoreAway(_logger, exception, _store.Queue);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The border of the loop: a worker outlives whatever the store answers.
            Log.AcquireFailed(_logger, exception, _store.Queue);
        }

        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(2020, LogLevel.Warning, "Queue {Queue}: the store does not answer; the worker waits for it.")]
        public static partial void StoreAway(ILogger logger, Exception exception, string queue);

        [LoggerMessage(2021, LogLevel.Error, "Queue {Queue}: no job could be taken.")]
        public static partial void AcquireFailed(ILogger logger, Exception exception, string queue);
    }
}
