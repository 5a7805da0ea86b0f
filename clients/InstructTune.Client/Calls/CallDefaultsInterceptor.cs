using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace InstructTune.Client;

/// <summary>Gives every call the API key, a deadline and, where the request has room for one, a request id.</summary>
internal sealed class CallDefaultsInterceptor(ClientOptions options) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(WithRequestId(request), Complete(context, UnaryTimeout(context.Method.Name)));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, Complete(context, context.Method.Name == "StreamGenerate" ? options.GenerationTimeout : options.StreamTimeout));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(Complete(context, options.StreamTimeout));

    private TimeSpan UnaryTimeout(string method) => method is "Generate" or "Score" ? options.GenerationTimeout : options.CallTimeout;

    private ClientInterceptorContext<TRequest, TResponse> Complete<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, TimeSpan timeout)
        where TRequest : class
        where TResponse : class
    {
        var call = context.Options;
        if (options.ApiKey.Length > 0)
        {
            var headers = new Metadata();
            foreach (var entry in call.Headers ?? [])
            {
                headers.Add(entry);
            }

            headers.Add("authorization", "Bearer " + options.ApiKey);
            call = call.WithHeaders(headers);
        }

        if (call.Deadline is null)
        {
            call = call.WithDeadline(options.Time.GetUtcNow().UtcDateTime + timeout);
        }

        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, call);
    }

    // Without an id a repeated create could make a second job; the caller's message is left as it was.
    private static TRequest WithRequestId<TRequest>(TRequest request)
        where TRequest : class
    {
        if (request is not IMessage message
            || message.Descriptor.FindFieldByName("request_id") is not { } field
            || field.Accessor.GetValue(message) is not "")
        {
            return request;
        }

        var copy = message.Descriptor.Parser.ParseFrom(message.ToByteString());
        field.Accessor.SetValue(copy, Guid.NewGuid().ToString());
        return (TRequest)copy;
    }
}
