using InstructTune.Hosting;

namespace InstructTune.Gateway;

/// <summary>Answers UNAUTHENTICATED to everything but health checks that comes without a known key.</summary>
internal sealed class ApiKeyMiddleware(RequestDelegate next, ApiKeys keys)
{
    /// <summary>Tells the services whose call it is.</summary>
    private const string TenantHeader = "instructtune-tenant";

    private const string HealthPrefix = "/grpc.health.v1.Health";

    public Task InvokeAsync(HttpContext context)
    {
        var isHealth = context.Request.Path.StartsWithSegments(HealthPrefix, StringComparison.Ordinal);
        var caller = keys.Find(context.Request.Headers.Authorization);
        // Nobody says for themselves who they are.
        context.Request.Headers.Remove(TenantHeader);
        if (!isHealth && caller is null)
        {
            return GrpcAnswer.WriteAsync(context, new DomainException(
                ErrorReason.ApiKeyInvalid, "The API key is missing or wrong: send it as metadata 'authorization: Bearer KEY'."));
        }

        context.Features.Set(caller);
        context.Request.Headers[TenantHeader] = caller?.Tenant;
        return next(context);
    }
}
