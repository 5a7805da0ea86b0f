using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Hosting;

namespace InstructTune.Hosting;

/// <summary>Refuses new calls once the process is stopping; calls that run already finish.</summary>
internal sealed class DrainInterceptor(IHostApplicationLifetime lifetime) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        ThrowIfDraining(context);
        return continuation(request, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        ThrowIfDraining(context);
        return continuation(requestStream, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        ThrowIfDraining(context);
        return continuation(request, responseStream, context);
    }

    private void ThrowIfDraining(ServerCallContext context)
    {
        // Whoever asks for its health is told.
        if (lifetime.ApplicationStopping.IsCancellationRequested && !context.Method.StartsWith(Draining.HealthPath, StringComparison.Ordinal))
        {
            throw Draining.Refuse(context.GetHttpContext());
        }
    }
}
