using InstructTune.Hosting;
using Yarp.ReverseProxy.Model;

namespace InstructTune.Gateway;

/// <summary>Turns the proxy's bare HTTP 502 into an answer that gRPC clients understand and know to try again.</summary>
internal sealed class UnreachablePeerMiddleware(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (context.GetForwarderErrorFeature() is null || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var service = context.Features.Get<IReverseProxyFeature>()?.Cluster.Config.ClusterId ?? "unknown";
        await GrpcAnswer.WriteAsync(context, new DomainException(
            ErrorReason.PeerUnreachable, $"The {service} service does not answer; try again in a moment.", ("service", service)));
    }
}
