using Grpc.Core;
using Grpc.Net.Client;
using InstructTune.Inference;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Numerics;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>The inference service over real gRPC, beside a registry of its own and a store that tests publish models to.</summary>
internal sealed class InferenceHost : IAsyncDisposable
{
    public const string Base = "models/base/versions/1";
    public const string Red = "models/red/versions/1";
    public const string Blue = "models/blue/versions/1";

    private readonly TemporaryFolder _folder;
    private readonly TestServer _registryServer;
    private readonly TestServer _server;
    private Task? _stopped;

    private InferenceHost(TemporaryFolder folder, FakeRegistry registry, TestServer registryServer, TestServer server)
    {
        _folder = folder;
        Registry = registry;
        _registryServer = registryServer;
        _server = server;
        Client = new InferenceService.InferenceServiceClient(server.Channel);
    }

    public FakeRegistry Registry { get; }

    /// <summary>Calls whose method has not returned on the server.</summary>
    public required ActiveCalls Calls { get; init; }

    /// <summary>What the server logged as errors.</summary>
    public required ServerLog Log { get; init; }

    public InferenceService.InferenceServiceClient Client { get; }

    /// <summary>For services that call this one.</summary>
    public string Address => _server.Address;

    public EngineLoop Engine => _server.Services.GetRequiredService<EngineLoop>();

    /// <summary>Holding a turn keeps the engine from its next step.</summary>
    public DeviceTurns Turns => _server.Services.GetRequiredService<DeviceTurns>();

    /// <summary>Requests that were let in and have no slot yet.</summary>
    public int WaitingRequests => _server.Services.GetRequiredService<AdmissionGate>().WaitingRequests;

    /// <summary>Requests whose sequences the engine has.</summary>
    public int LiveRequests => _server.Services.GetRequiredService<LiveRequests>().Count;

    public SchedulerFigures Figures => _server.Services.GetRequiredService<Scheduler>().Figures;

    public IServiceProvider Services => _server.Services;

    private IArtifactStore Artifacts => _server.Services.GetRequiredService<IArtifactStore>();

    public static Task<InferenceHost> StartAsync(params (string Key, string Value)[] settings) => StartAsync(_ => { }, settings);

    /// <param name="change">Puts something of the test's own in the place of a part of the service.</param>
    /// <param name="settings">Configuration.</param>
    public static async Task<InferenceHost> StartAsync(Action<IServiceCollection> change, params (string Key, string Value)[] settings)
    {
        var folder = new TemporaryFolder();
        var registry = new FakeRegistry();
        var registryServer = await TestServer.StartAsync(
            builder => builder.Services.AddSingleton(registry), app => app.MapGrpcService<FakeRegistry>());
        var calls = new ActiveCalls();
        var log = new ServerLog();
        var server = await TestServer.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton<ILoggerProvider>(log);
                change(builder.Services);
                builder.AddInference();
            },
            app =>
            {
                app.Use(calls.CountAsync);
                app.MapInference();
            },
            [
                ("Storage:Root", folder.Path),
                ("Peers:Trainer", registryServer.Address),
                ("Torch:Threads", "1"),
                .. settings,
            ]);
        return new InferenceHost(folder, registry, registryServer, server) { Calls = calls, Log = log };
    }

    /// <summary>With a base and two adapters over it.</summary>
    public static async Task<InferenceHost> StartWithModelsAsync(params (string Key, string Value)[] settings)
    {
        var host = await StartAsync(settings);
        await host.PublishBaseAsync(Base, seed: 1);
        await host.PublishAdapterAsync(Red, Base, seed: 2);
        await host.PublishAdapterAsync(Blue, Base, seed: 3);
        return host;
    }

    public Task<string> PublishBaseAsync(string name, ulong seed, int contextTokens = 512) =>
        PublishBaseAsync(name, folder => TinyModel.Write(folder, seed, contextTokens));

    /// <summary>Publishes the model that is written to a folder.</summary>
    public async Task<string> PublishBaseAsync(string name, Action<string> write)
    {
        var sha256 = await PublishAsync(write);
        Registry.Put(name, sha256);
        return sha256;
    }

    public async Task<string> PublishAdapterAsync(string name, string baseName, ulong seed, int rank = 8)
    {
        var sha256 = await PublishAsync(folder => TinyAdapter.Write(folder, seed, rank));
        Registry.Put(name, sha256, baseName);
        return sha256;
    }

    public string ArtifactFolder(string sha256) => Path.Combine(_folder.Path, "artifacts", sha256);

    public async Task<string> PublishAdapterAsync(string name, string baseName, Action<string> write)
    {
        var sha256 = await PublishAsync(write);
        Registry.Put(name, sha256, baseName);
        return sha256;
    }

    /// <summary>Holds the engine until all of them are submitted, so that they run side by side.</summary>
    public async Task<GenerateResponse[]> TogetherAsync(IReadOnlyList<GenerateRequest> requests)
    {
        // A load needs the engine's thread, which a turn that is taken holds up.
        var served = await Client.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: TestContext.Current.CancellationToken);
        foreach (var model in requests.Select(request => request.Model).Distinct().Except(served.ServedModels.Select(model => model.ModelVersion)))
        {
            await GenerateAsync(Requests.Greedy(model, "load", maxTokens: 1));
        }
        var turn = Turns.Enter(TestContext.Current.CancellationToken);
        var before = Engine.Counters.Submitted;
        var calls = requests.Select(GenerateAsync).ToArray();
        await Eventually.HoldsAsync(() => Engine.Counters.Submitted - before >= requests.Count, "all requests are submitted");
        turn.Dispose();
        return await Task.WhenAll(calls);
    }

    public async Task<ServingStats> StatsAsync() =>
        await Client.GetServingStatsAsync(new GetServingStatsRequest(), cancellationToken: TestContext.Current.CancellationToken);

    public async Task<GenerateResponse> GenerateAsync(GenerateRequest request) =>
        await Client.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);

    public async Task<IReadOnlyList<StreamGenerateResponse>> StreamAsync(GenerateRequest request)
    {
        using var call = Client.StreamGenerate(request, cancellationToken: TestContext.Current.CancellationToken);
        List<StreamGenerateResponse> messages = [];
        await foreach (var message in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            messages.Add(message);
        }
        return messages;
    }

    public async Task<ScoreResponse> ScoreAsync(ScoreRequest request) =>
        await Client.ScoreAsync(request, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Nothing runs, nothing waits, no slot is rented.</summary>
    public Task IsIdleAsync() => Eventually.HoldsAsync(
        () => Engine.Counters is { Running: 0, Waiting: 0, RentedBytes: 0 }, "the engine is idle");

    /// <summary>A channel of the test's own, which outlives the server's.</summary>
    public GrpcChannel Connect() => GrpcChannel.ForAddress(_server.Address);

    /// <summary>Begins to stop the service; ends when it has stopped.</summary>
    public Task StopAsync() => _stopped ??= _server.DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _registryServer.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>A version with the content of a folder.</summary>
    public async Task PublishFolderAsync(string name, string source) => Registry.Put(name, await PublishAsync(folder =>
    {
        foreach (var file in Directory.EnumerateFiles(source))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
    }));

    private async Task<string> PublishAsync(Action<string> write)
    {
        using var staging = Artifacts.CreateStaging();
        write(staging.Path);
        return (await Artifacts.PublishAsync(staging, TestContext.Current.CancellationToken)).Sha256;
    }
}
