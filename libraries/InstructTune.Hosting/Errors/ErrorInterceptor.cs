using Grpc.Core;
using Grpc.Core.Interceptors;
using InstructTune.V1;
using Microsoft.Extensions.Logging;

namespace InstructTune.Hosting;

/// <summary>
/// The one way out for failures: every exception of a method becomes a status with a reason. What nobody foresaw is
/// logged with its trace id and leaves the process as INTERNAL without its text.
/// </summary>
internal sealed partial class ErrorInterceptor(ILogger<ErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception exception)
        {
            throw Translate(exception, context);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (Exception exception)
        {
            throw Translate(exception, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception exception)
        {
            throw Translate(exception, context);
        }
    }

    private RpcException Translate(Exception exception, ServerCallContext context)
    {
        if (context.CancellationToken.IsCancellationRequested)
        {
            // The caller is gone or its deadline has passed: gRPC has answered already, and nothing is wrong here.
            return new RpcException(new Status(StatusCode.Cancelled, "The call was cancelled."));
        }

        if (ExceptionTranslation.ToDomain(exception) is { } known)
        {
            return known.ToRpcException();
        }

        var traceId = System.Diagnostics.Activity.Current?.TraceId.ToString() ?? context.GetHttpContext().TraceIdentifier;
        Log.Unexpected(logger, exception, context.Method, traceId);
        return new DomainException(
            ErrorReason.Internal, $"Something unforeseen happened; the server's log has it under trace id {traceId}.", ("trace_id", traceId))
            .ToRpcException();
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Error, "{Method} failed unexpectedly, trace id {TraceId}.")]
        public static partial void Unexpected(ILogger logger, Exception exception, string method, string traceId);
    }
}
