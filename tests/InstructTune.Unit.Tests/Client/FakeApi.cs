using Grpc.Core;
using InstructTune.Client;
using InstructTune.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Unit.Tests.Client;

/// <summary>A server whose answers a test writes: the services are in memory, the wire and the errors are real.</summary>
internal sealed class FakeApi : IAsyncDisposable
{
    private readonly TestServer _server;

    private FakeApi(TestServer server, FakeServices services)
    {
        _server = server;
        Services = services;
    }

    public FakeServices Services { get; }

    public string Address => _server.Address;

    public static async Task<FakeApi> StartAsync()
    {
        var services = new FakeServices();
        var server = await TestServer.StartAsync(
            builder => builder.Services.AddSingleton(services.Datasets).AddSingleton(services.FineTunes).AddSingleton(services.Models)
                .AddSingleton(services.Inference).AddSingleton(services.Evaluations),
            Map);
        return new FakeApi(server, services);
    }

    public InstructTuneClient Connect() => new(new ClientOptions { Address = new Uri(Address), ApiKey = "secret" });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static void Map(WebApplication app)
    {
        app.MapGrpcService<FakeDatasets>();
        app.MapGrpcService<FakeFineTunes>();
        app.MapGrpcService<FakeModels>();
        app.MapGrpcService<FakeInference>();
        app.MapGrpcService<FakeEvaluations>();
    }
}

internal sealed class FakeServices
{
    public FakeDatasets Datasets { get; } = new();

    public FakeFineTunes FineTunes { get; } = new();

    public FakeModels Models { get; } = new();

    public FakeInference Inference { get; } = new();

    public FakeEvaluations Evaluations { get; } = new();
}

/// <summary>What a method answers next: failures first, in order, then success.</summary>
internal sealed class Failures
{
    private readonly Queue<Exception> _queue = new();

    public void Add(params Exception[] failures)
    {
        foreach (var failure in failures)
        {
            _queue.Enqueue(failure);
        }
    }

    public void ThrowNext()
    {
        if (_queue.TryDequeue(out var failure))
        {
            throw failure;
        }
    }

    /// <summary>A stream whose connection is lost.</summary>
    public static Exception LostConnection() => new RpcException(new Status(StatusCode.Unavailable, "gone"));
}
