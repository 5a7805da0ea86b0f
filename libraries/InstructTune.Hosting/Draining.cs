using InstructTune.V1;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace InstructTune.Hosting;

/// <summary>What a process that is stopping answers to new calls.</summary>
public static class Draining
{
    internal const string HealthPath = "/grpc.health.v1.Health";

    /// <summary>
    /// The refusal. Its connection takes no more calls, so that the caller's next one goes over a new connection, to a process
    /// that is not stopping; what runs on it already finishes.
    /// </summary>
    public static DomainException Refuse(HttpContext context)
    {
        context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        return Exception();
    }

    internal static DomainException Exception() => new(ErrorReason.Draining, "The server is stopping; try again in a moment.");
}

/// <summary>Not ready once the process is stopping.</summary>
internal sealed class DrainHealth(IHostApplicationLifetime lifetime) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("The process is stopping.") : HealthCheckResult.Healthy());
}
