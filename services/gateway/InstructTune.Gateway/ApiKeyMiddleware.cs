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
        var tenant = keys.TenantOf(context.Request.Headers.Authorization);
        // Nobody says for themselves who they are.
        context.Request.Headers.Remove(TenantHeader);
        if (isHealth || tenant is not null)
        {
            context.Request.Headers[TenantHeader] = tenant;
            return next(context);
        }

        return GrpcAnswer.WriteAsync(context, new DomainException(
            ErrorReason.ApiKeyInvalid, "The API key is missing or wrong: send it as metadata 'authorization: Bearer KEY'."));
    }
}
