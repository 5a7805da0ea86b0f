using InstructTune.Inference.Engine;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Requests;

/// <summary>
/// Looks at the age of the engine's step. When a step does not end, nobody is left waiting in silence: every request fails, and new ones
/// are refused until the engine moves again.
/// </summary>
internal sealed partial class StallWatch(
    StepAge age, LiveRequests live, IOptions<InferenceOptions> options, TimeProvider time, ILogger<StallWatch> logger) : BackgroundService
{
    private static readonly TimeSpan _retryAfter = TimeSpan.FromSeconds(10);

    public bool IsStalled => age.IsStuck();

    public InferenceFault Fault() => new(
        FaultKind.Stopping, $"A step of the engine has not ended for more than {age.Limit}; try again later, or another replica.")
    {
        RetryAfter = _retryAfter,
    };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var beat = new PeriodicTimer(options.Value.Heartbeat, time);
        while (await beat.WaitForNextTickAsync(stoppingToken))
        {
            if (IsStalled && live.Abandon(Fault) is > 0 and var count)
            {
                Log.Stalled(logger, count);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(6030, LogLevel.Error, "A step of the engine does not end; {Count} requests were failed.")]
        public static partial void Stalled(ILogger logger, int count);
    }
}
