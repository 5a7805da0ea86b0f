using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace InstructTune.Inference.Engine;

/// <summary>Unready when the engine's thread is gone or its step does not end: a process that answers may still compute nothing.</summary>
internal sealed class EngineHealth(EngineLoop engine, StepAge age) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        if (!engine.IsAlive)
        {
            return HealthCheckResult.Unhealthy("The engine's thread is not running.");
        }
        return age.IsStuck() ? HealthCheckResult.Unhealthy($"A step has been running for more than {age.Limit}.") : HealthCheckResult.Healthy();
    }
}
