using InstructTune.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace InstructTune.Gateway;

/// <summary>Refuses new calls once the process is stopping, and sends watches, which would never end, to another gateway.</summary>
internal sealed class DrainMiddleware(RequestDelegate next, IHostApplicationLifetime lifetime)
{
    // REFUSED_STREAM of RFC 9113: clients make UNAVAILABLE of it.
    private const int RefusedStream = 0x7;

    public async Task InvokeAsync(HttpContext context)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await GrpcAnswer.WriteAsync(context, Draining.Refuse(context));
            return;
        }

        await using var ending = IsWatch(context.Request.Path)
            ? lifetime.ApplicationStopping.Register(() => context.Features.Get<IHttpResetFeature>()?.Reset(RefusedStream))
            : default;
        await next(context);
    }

    private static bool IsWatch(PathString path) => path.Value is { } text && text.AsSpan(text.LastIndexOf('/') + 1).StartsWith("Watch", StringComparison.Ordinal);
}
