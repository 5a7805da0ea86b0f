using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

namespace InstructTune.Storage;

/// <summary>Breaker around time-out around retry. Only commands that never left this process are sent again.</summary>
internal static class RedisPipeline
{
    private const int FailuresBeforeBreak = 3;

    public static ResiliencePipeline Build(RedisOptions options, TimeProvider clock) =>
        new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                BreakDuration = options.BreakDuration,
                // Not all: what was answered before the store went away is still in the window.
                FailureRatio = 0.5,
                MinimumThroughput = FailuresBeforeBreak,
                SamplingDuration = options.Patience * 4,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } exception && IsUnreachable(exception)),
            })
            .AddTimeout(options.Patience)
            .AddRetry(new RetryStrategyOptions
            {
                // The time-out ends the repetition.
                MaxRetryAttempts = int.MaxValue,
                Delay = options.RetryDelay,
                MaxDelay = TimeSpan.FromMilliseconds(250),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = arguments => ValueTask.FromResult(WasNeverSent(arguments.Outcome.Exception)),
            })
            .Build();

    public static bool IsUnreachable(Exception exception) =>
        exception is RedisConnectionException or RedisTimeoutException or TimeoutRejectedException or BrokenCircuitException
            or ObjectDisposedException
        || exception is RedisServerException { Message: var message } && IsStarting(message);

    private static bool WasNeverSent(Exception? exception) => exception switch
    {
        RedisConnectionException connection => connection.CommandStatus is CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog
            || connection.FailureType == ConnectionFailureType.UnableToResolvePhysicalConnection,
        RedisTimeoutException timeout => timeout.Commandstatus is CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog,
        RedisServerException server => IsStarting(server.Message),
        _ => false,
    };

    private static bool IsStarting(string message) => message.StartsWith("LOADING", StringComparison.Ordinal);
}
