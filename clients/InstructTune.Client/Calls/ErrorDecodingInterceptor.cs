using Grpc.Core;
using Grpc.Core.Interceptors;

namespace InstructTune.Client;

/// <summary>Turns every failure of a call into an <see cref="InstructTuneException"/>; a cancelled call into OperationCanceledException.</summary>
internal sealed class ErrorDecodingInterceptor(Uri server) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(request, context);
        return new AsyncUnaryCall<TResponse>(
            DecodeAsync(call.ResponseAsync, context.Options.CancellationToken),
            call.ResponseHeadersAsync,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(request, context);
        return new AsyncServerStreamingCall<TResponse>(
            new DecodingReader<TResponse>(this, call.ResponseStream, context.Options.CancellationToken),
            call.ResponseHeadersAsync,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(context);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            call.RequestStream,
            DecodeAsync(call.ResponseAsync, context.Options.CancellationToken),
            call.ResponseHeadersAsync,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    private async Task<T> DecodeAsync<T>(Task<T> response, CancellationToken ct)
    {
        try
        {
            return await response;
        }
        catch (RpcException failure)
        {
            throw Decode(failure, ct);
        }
    }

    private Exception Decode(RpcException failure, CancellationToken ct) =>
        failure.StatusCode == StatusCode.Cancelled && ct.IsCancellationRequested
            ? new OperationCanceledException(failure.Status.Detail, failure, ct)
            : InstructTuneException.From(failure, server);

    private sealed class DecodingReader<T>(ErrorDecodingInterceptor decoder, IAsyncStreamReader<T> inner, CancellationToken callToken)
        : IAsyncStreamReader<T>
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            try
            {
                return await inner.MoveNext(cancellationToken);
            }
            catch (RpcException failure)
            {
                throw decoder.Decode(failure, cancellationToken.IsCancellationRequested ? cancellationToken : callToken);
            }
        }
    }
}
