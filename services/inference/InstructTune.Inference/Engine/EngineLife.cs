using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace InstructTune.Inference.Engine;

/// <summary>
/// Whether the process must be started again: its engine's thread is gone, or a step has not ended for so long after it made the replica unready that it
/// never will.
/// </summary>
internal sealed class EngineLife(EngineLoop engine, StepAge age) : IHealthCheck
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(engine.IsAlive && !age.IsStuck(_patience) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The engine computes nothing and will not again."));
}
