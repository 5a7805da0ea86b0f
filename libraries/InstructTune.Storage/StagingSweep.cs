using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InstructTune.Storage;

/// <summary>Removes the staging folders of writers that crashed, at the start and once an hour.</summary>
internal sealed partial class StagingSweep(DiskArtifactStore artifacts, TimeProvider clock, ILogger<StagingSweep> logger) : BackgroundService
{
    // Longer than any upload or training may pause between two writes.
    private static readonly TimeSpan Unchanged = TimeSpan.FromDays(2);
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                Sweep();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is ending.
        }
    }

    private void Sweep()
    {
        try
        {
            if (artifacts.SweepStaging(Unchanged, clock.GetUtcNow()) is > 0 and var count)
            {
                Log.Swept(logger, count);
            }
        }
        catch (IOException exception)
        {
            // Another process swept at the same time.
            Log.NotSwept(logger, exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3020, LogLevel.Information, "{Count} staging folders of writers that crashed were removed.")]
        public static partial void Swept(ILogger logger, int count);

        [LoggerMessage(3021, LogLevel.Warning, "Staging folders could not be removed; they are tried again in an hour.")]
        public static partial void NotSwept(ILogger logger, Exception exception);
    }
}
