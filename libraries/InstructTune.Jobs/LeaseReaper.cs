using InstructTune.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InstructTune.Jobs;

/// <summary>Takes jobs from lost workers, queues due retries and repairs the queue. Any number may run at once.</summary>
public sealed partial class LeaseReaper : BackgroundService
{
    private readonly JobStore _store;
    private readonly LeaseOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    internal LeaseReaper(JobStore store, LeaseOptions options, TimeProvider clock, ILogger<LeaseReaper> logger)
    {
        (_store, _options, _clock, _logger) = (store, options, clock, logger);
    }

    /// <summary>Null where there is no archive.</summary>
    internal JobArchiver? Archiver { get; init; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(_options.ReapInterval, _clock);
        // The first look sweeps: what a crash of the store left behind is repaired at once.
        long? swept = null;
        try
        {
            do
            {
                var isSweep = swept is null || _clock.GetElapsedTime(swept.Value) >= _options.SweepInterval;
                if (await TryReapAsync(isSweep, stoppingToken) && isSweep)
                {
                    swept = _clock.GetTimestamp();
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is ending.
        }
    }

    private async Task<bool> TryReapAsync(bool isSweep, CancellationToken ct)
    {
        try
        {
            if (isSweep && Archiver is not null)
            {
                await Archiver.RestoreAsync(ct);
            }

            var handled = await _store.ReapAsync(isSweep, ct);
            if (handled > 0)
            {
                Log.Reaped(_logger, _store.Queue, handled);
            }

            if (Archiver is not null)
            {
                await Archiver.KeepAsync(ct);
            }

            JobTelemetry.Looked(_store.Queue, await _store.StatsAsync(ct), handled);

            return true;
        }
        catch (StoreUnreachableException)
        {
            // The worker's log says so already.
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The border of the loop: the reaper outlives whatever the store answers.
            Log.ReapFailed(_logger, exception, _store.Queue);
        }

        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(2030, LogLevel.Information, "Queue {Queue}: {Count} jobs were taken from lost workers or were due again.")]
        public static partial void Reaped(ILogger logger, string queue, int count);

        [LoggerMessage(2031, LogLevel.Error, "Queue {Queue}: lost workers could not be looked for.")]
        public static partial void ReapFailed(ILogger logger, Exception exception, string queue);
    }
}
