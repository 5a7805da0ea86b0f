using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests;

/// <summary>
/// Every RPC, found in the descriptors: its caller gets DEADLINE_EXCEEDED or CANCELLED, and the server's side of it ends
/// too. A door holds each call until it was interrupted and then lets it in, so the handler meets a cancelled call.
/// </summary>
public sealed class InterruptedCallTests(InterruptedCallTests.HeldServer server) : IClassFixture<InterruptedCallTests.HeldServer>
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Door _door = server.NewDoor();

    public static TheoryData<string, string> Methods => new(
        new[]
        {
            DatasetService.Descriptor, FineTuneService.Descriptor, ModelRegistryService.Descriptor,
            InferenceService.Descriptor, EvaluationService.Descriptor,
        }.SelectMany(service => service.Methods).Select(method => (method.Service.FullName, method.Name)));

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task A_call_whose_deadline_passes_ends_on_both_sides(string service, string method)
    {
        var status = await CallAsync(service, method, new CallOptions(deadline: DateTime.MaxValue), afterArrival: null, TimeSpan.FromMilliseconds(300));
        Assert.Equal(StatusCode.DeadlineExceeded, status);
        await _door.Left.WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task A_call_that_its_caller_gives_up_ends_on_both_sides(string service, string method)
    {
        using var giveUp = new CancellationTokenSource();
        var status = await CallAsync(service, method, new CallOptions(cancellationToken: giveUp.Token), giveUp.Cancel, deadline: null);
        Assert.Equal(StatusCode.Cancelled, status);
        await _door.Left.WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    private async Task<StatusCode> CallAsync(
        string service, string method, CallOptions options, Action? afterArrival, TimeSpan? deadline)
    {
        var descriptor = Find(service, method);
        var type = (descriptor.IsClientStreaming, descriptor.IsServerStreaming) switch
        {
            (true, _) => MethodType.ClientStreaming,
            (_, true) => MethodType.ServerStreaming,
            _ => MethodType.Unary,
        };
        var bytes = Marshallers.Create(value => value, value => value);
        var call = new Method<byte[], byte[]>(type, service, method, bytes, bytes);
        var invoker = server.Channel.CreateCallInvoker();
        if (deadline is { } time)
        {
            options = options.WithDeadline(TimeProvider.System.GetUtcNow().Add(time).UtcDateTime);
        }

        var answer = StatusOfAsync(invoker, call, options);
        if (afterArrival is not null)
        {
            await _door.Arrived.WaitAsync(_patience, TestContext.Current.CancellationToken);
            afterArrival();
        }

        return await answer.WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    private static async Task<StatusCode> StatusOfAsync(CallInvoker invoker, Method<byte[], byte[]> method, CallOptions options)
    {
        try
        {
            switch (method.Type)
            {
                case MethodType.ClientStreaming:
                    using (var upload = invoker.AsyncClientStreamingCall(method, null, options))
                    {
                        await upload.ResponseAsync;
                    }

                    break;
                case MethodType.ServerStreaming:
                    using (var stream = invoker.AsyncServerStreamingCall(method, null, options, []))
                    {
                        while (await stream.ResponseStream.MoveNext(CancellationToken.None))
                        {
                        }
                    }

                    break;
                default:
                    using (var unary = invoker.AsyncUnaryCall(method, null, options, []))
                    {
                        await unary.ResponseAsync;
                    }

                    break;
            }

            return StatusCode.OK;
        }
        catch (RpcException failed)
        {
            return failed.StatusCode;
        }
    }

    private static MethodDescriptor Find(string service, string method) =>
        new[]
        {
            DatasetService.Descriptor, FineTuneService.Descriptor, ModelRegistryService.Descriptor,
            InferenceService.Descriptor, EvaluationService.Descriptor,
        }.Single(descriptor => descriptor.FullName == service).FindMethodByName(method);

    /// <summary>Says when the call has come in and when its handler has returned.</summary>
    internal sealed class Door
    {
        private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Arrived => _arrived.Task;

        public Task Left => _left.Task;

        public async Task<T> HoldAsync<T>(ServerCallContext context, Func<Task<T>> handler)
        {
            _arrived.TrySetResult();
            var interrupted = new TaskCompletionSource();
            await using (context.CancellationToken.Register(interrupted.SetResult))
            {
                await interrupted.Task;
            }

            try
            {
                return await handler();
            }
            finally
            {
                _left.TrySetResult();
            }
        }
    }

    /// <summary>All services with a door in front of every handler; tests of one class run one after the other.</summary>
    public sealed class HeldServer : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();
        private GarnetStore _store = null!;
        private TestServer _server = null!;

        public ChannelBase Channel => _server.Channel;

        internal Door Door { get; private set; } = new();

        public async ValueTask InitializeAsync()
        {
            _store = GarnetStore.Start();
            _server = await AllServices.StartAsync(_store.Configuration, _folder.Path, builder =>
            {
                builder.Services.AddSingleton(this);
                builder.Services.AddGrpc(options => options.Interceptors.Add<HoldInterceptor>());
            });
        }

        public async ValueTask DisposeAsync()
        {
            await _server.DisposeAsync();
            await _store.DisposeAsync();
            _folder.Dispose();
        }

        internal Door NewDoor() => Door = new Door();
    }

    internal sealed class HoldInterceptor(HeldServer server) : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
            server.Door.HoldAsync(context, () => continuation(request, context));

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            ServerCallContext context,
            ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
            server.Door.HoldAsync(context, () => continuation(requestStream, context));

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
            server.Door.HoldAsync(context, async () =>
            {
                await continuation(request, responseStream, context);
                return true;
            });
    }
}
