using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Engine;

/// <summary>Unready when the engine's thread is gone or its step does not end: a process that answers may still compute nothing.</summary>
internal sealed class EngineHealth(EngineLoop engine, IOptions<InferenceOptions> options, TimeProvider time) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        if (!engine.IsAlive)
        {
            return HealthCheckResult.Unhealthy("The engine's thread is not running.");
        }
        var began = engine.Counters.StepBegan;
        return began != 0 && time.GetElapsedTime(began) > options.Value.StepTimeout
            ? HealthCheckResult.Unhealthy($"A step has been running for more than {options.Value.StepTimeout}.")
            : HealthCheckResult.Healthy();
    }
}
