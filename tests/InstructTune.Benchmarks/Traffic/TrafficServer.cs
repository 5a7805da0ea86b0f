using System.Globalization;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>The inference service in a process of its own, and a channel to it.</summary>
internal sealed class TrafficServer : IDisposable
{
    private readonly ServiceProcess _process;
    private readonly GrpcChannel _channel;

    private TrafficServer(ServiceProcess process, GrpcChannel channel) =>
        (_process, _channel, Client) = (process, channel, new InferenceService.InferenceServiceClient(channel));

    public InferenceService.InferenceServiceClient Client { get; }

    /// <summary>From the start of the process until it says that it is ready.</summary>
    public double ReadySeconds { get; private init; }

    public double CpuSeconds => ProcessFigures.CpuSeconds(_process.Id);

    public long ResidentBytes => _process.ResidentBytes;

    public static async Task<TrafficServer> StartAsync(TrafficOptions options, TrafficStore store)
    {
        var began = RunClock.Now;
        var process = await ServiceProcess.StartAsync(
            options.Server, CancellationToken.None,
            ("Storage:Root", store.Root), ("Peers:Trainer", store.RegistryAddress), ("Inference:WeightFormat", options.WeightFormat));
        var channel = GrpcChannel.ForAddress(process.Address, new GrpcChannelOptions
        {
            DisposeHttpClient = true, HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true },
        });
        var health = new Health.HealthClient(channel);
        while ((await health.CheckAsync(new HealthCheckRequest { Service = "ready" })).Status != HealthCheckResponse.Types.ServingStatus.Serving)
        {
            await RunClock.WaitAsync(TimeSpan.FromMilliseconds(2));
        }

        return new TrafficServer(process, channel) { ReadySeconds = RunClock.Now - began };
    }

    public async Task<ServingStats> StatsAsync() => await Client.GetServingStatsAsync(new GetServingStatsRequest());

    /// <summary>Nothing runs and nothing waits.</summary>
    public Task IsIdleAsync() => Eventually.HoldsAsync(
        async () => await StatsAsync() is { RunningSequences: 0, WaitingRequests: 0 }, "the server is idle", TimeSpan.FromSeconds(60));

    /// <summary>Sends a request, notes when its outputs come, and how it ends. Throws nothing of the call's.</summary>
    public async Task<RequestTrace> StreamAsync(GenerateRequest request, RequestTrace trace, CancellationToken cancellationToken)
    {
        Outcome outcome;
        try
        {
            using var call = Client.StreamGenerate(request, cancellationToken: cancellationToken);
            while (await call.ResponseStream.MoveNext(cancellationToken))
            {
                var message = call.ResponseStream.Current;
                if (message.TokenIds.Count > 0)
                {
                    trace.Add(RunClock.Now, message.TokenIds.Count, message.Usage?.CachedPromptTokens ?? 0);
                }
            }

            outcome = Outcome.Answered;
        }
        catch (RpcException exception)
        {
            outcome = exception.StatusCode switch
            {
                StatusCode.ResourceExhausted => Outcome.Refused,
                // Who leaves while a message arrives is told that the transport is gone.
                StatusCode.Cancelled or StatusCode.Unavailable when cancellationToken.IsCancellationRequested => Outcome.Left,
                _ => Failed(request, exception),
            };
        }
        catch (OperationCanceledException)
        {
            outcome = Outcome.Left;
        }

        trace.End(RunClock.Now, outcome);
        return trace;
    }

    public Task<RequestTrace> StreamAsync(GenerateRequest request) => StreamAsync(request, new RequestTrace(RunClock.Now), CancellationToken.None);

    public void Dispose()
    {
        _channel.Dispose();
        _process.Dispose();
    }

    private static Outcome Failed(GenerateRequest request, RpcException exception)
    {
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"A request for {request.Model} failed: {exception.Status}"));
        return Outcome.Failed;
    }
}
