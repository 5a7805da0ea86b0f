using InstructTune.Hosting;

namespace InstructTune.Gateway;

/// <summary>Answers UNAUTHENTICATED to everything but health checks that comes without a known key.</summary>
internal sealed class ApiKeyMiddleware(RequestDelegate next, ApiKeys keys)
{
    private const string HealthPrefix = "/grpc.health.v1.Health";

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments(HealthPrefix, StringComparison.Ordinal)
            || keys.Admits(context.Request.Headers.Authorization))
        {
            return next(context);
        }

        return GrpcAnswer.WriteAsync(context, new DomainException(
            ErrorReason.ApiKeyInvalid, "The API key is missing or wrong: send it as metadata 'authorization: Bearer KEY'."));
    }
}
