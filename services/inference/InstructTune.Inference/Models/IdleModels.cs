using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Models;

/// <summary>Lets go of versions that nobody has used for <c>Inference:KeepIdle</c>.</summary>
internal sealed partial class IdleModels(ModelStore models, IOptions<InferenceOptions> options, TimeProvider time, ILogger<IdleModels> logger) : BackgroundService
{
    /// <summary>A version stays by this share of its time too long at most.</summary>
    private const int LooksPerTime = 4;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var idleTime = options.Value.KeepIdle;
        if (idleTime == TimeSpan.Zero)
        {
            return;
        }
        using var looks = new PeriodicTimer(idleTime / LooksPerTime, time);
        while (await looks.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await models.ReleaseIdleAsync(idleTime);
            }
            catch (Exception exception)
            {
                // Such as an engine that stops. Nothing waits for this, and what stays is counted.
                Log.NotReleased(logger, exception);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(6024, LogLevel.Warning, "Idle models were not unloaded.")]
        public static partial void NotReleased(ILogger logger, Exception exception);
    }
}
