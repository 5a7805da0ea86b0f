using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace InstructTune.Storage;

/// <summary>
/// Runs <see cref="StoreSelfCheck"/> once the store answers, with more patience than a call has: a service starts without its
/// store and waits for it. A store that cannot hold jobs ends the process with a sentence that says what to do.
/// </summary>
internal sealed partial class StartCheck(IOptions<RedisOptions> options, TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<StartCheck> logger)
    : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (!options.Value.SelfCheck)
        {
            return;
        }

        try
        {
            while (!await TryCheckAsync(stoppingToken))
            {
                await Task.Delay(Pause, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is ending.
        }
    }

    // False where the store does not answer yet.
    private async Task<bool> TryCheckAsync(CancellationToken ct)
    {
        try
        {
            // A connection of its own: its patience is not that of calls.
            var patient = new RedisOptions { Configuration = options.Value.Configuration, Patience = Patience };
            await using var redis = new RedisConnection(patient, clock);
            await new StoreSelfCheck(redis).RunAsync(ct);
        }
        catch (StoreUnreachableException)
        {
            Log.StoreAway(logger);
            return false;
        }
        catch (StoreUnfitException unfit)
        {
            Log.Unfit(logger, unfit.Message);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(3010, LogLevel.Warning, "The store does not answer; calls that need it fail until it does.")]
        public static partial void StoreAway(ILogger logger);

        [LoggerMessage(3011, LogLevel.Critical, "The store cannot hold jobs. {Problem}")]
        public static partial void Unfit(ILogger logger, string problem);
    }
}
