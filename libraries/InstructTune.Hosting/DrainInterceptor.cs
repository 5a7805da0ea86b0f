using Grpc.Core;
using Grpc.Core.Interceptors;
using InstructTune.V1;
using Microsoft.Extensions.Hosting;

namespace InstructTune.Hosting;

/// <summary>Refuses new calls once the process is stopping; calls that run already finish.</summary>
internal sealed class DrainInterceptor(IHostApplicationLifetime lifetime) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        ThrowIfDraining();
        return continuation(request, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        ThrowIfDraining();
        return continuation(requestStream, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        ThrowIfDraining();
        return continuation(request, responseStream, context);
    }

    private void ThrowIfDraining()
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new DomainException(ErrorReason.Draining, "The server is stopping; try again in a moment.");
        }
    }
}
