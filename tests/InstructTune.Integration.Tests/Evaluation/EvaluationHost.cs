using Grpc.Core;
using InstructTune.Evaluation;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Evaluation;

/// <summary>The evaluation service over a real store, with peers whose answers the test gives.</summary>
public sealed class EvaluationHost : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private StoreServer? _store;
    private TestServer? _peers;
    private TestServer? _server;

    internal FakeDatasets Datasets { get; } = new();

    internal FakeInference Inference { get; } = new();

    /// <summary>Settings beside those that every test needs.</summary>
    internal List<(string Key, string Value)> Settings { get; } = [];

    /// <summary>Calls end when the test is cancelled.</summary>
    internal static CallOptions Call => new(cancellationToken: TestContext.Current.CancellationToken);

    internal EvaluationService.EvaluationServiceClient Client => new(_server!.Channel);

    public async ValueTask InitializeAsync()
    {
        _store = GarnetStore.Start();
        _peers = await TestServer.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton(Datasets);
                builder.Services.AddSingleton(Inference);
            },
            app =>
            {
                app.MapGrpcService<FakeDatasets>();
                app.MapGrpcService<FakeRegistry>();
                app.MapGrpcService<FakeInference>();
            });
        await StartServiceAsync();
    }

    internal static async Task<EvaluationHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var host = new EvaluationHost();
        host.Settings.AddRange(settings);
        await host.InitializeAsync();
        return host;
    }

    internal async Task StartServiceAsync()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Storage:Root"] = _folder.Path,
            ["Redis:Configuration"] = _store!.Configuration,
            ["Jobs:PollInterval"] = "00:00:00.1",
            ["Jobs:RetryUnit"] = "00:00:00.05",
            ["Jobs:ReapInterval"] = "00:00:00.1",
            ["Evaluation:ProgressInterval"] = "00:00:00",
            ["Peers:Dataset"] = _peers!.Address,
            ["Peers:Trainer"] = _peers.Address,
            ["Peers:Inference"] = _peers.Address,
        };
        foreach (var (key, value) in Settings)
        {
            settings[key] = value;
        }
        _server = await TestServer.StartAsync(
            builder => builder.AddEvaluation(), app => app.MapEvaluation(), [.. settings.Select(pair => (pair.Key, pair.Value))]);
    }

    internal async Task StopServiceAsync()
    {
        await _server!.DisposeAsync();
        _server = null;
    }

    /// <summary>A suite of one task over instructions <c>{id} 0</c>, <c>{id} 1</c> and so on, whose answers are themselves.</summary>
    internal async Task<EvaluationSuite> CreateSuiteAsync(string id, int examples = 6, Action<EvaluationSuite.Types.Task>? change = null)
    {
        var version = Datasets.Add(id, Enumerable.Range(0, examples).Select(index => new Example
        {
            Instruction = new Instruction { Instruction_ = $"{id} {index}" },
            Output = $"{id} {index}",
            Choices = { "no", $"{id} {index}" },
        }));
        var task = new EvaluationSuite.Types.Task { TaskId = "echo", DatasetVersion = version, Metrics = { "em", "f1" } };
        change?.Invoke(task);
        return await Client.CreateEvaluationSuiteAsync(new CreateEvaluationSuiteRequest
        {
            EvaluationSuiteId = id, EvaluationSuite = new EvaluationSuite { DisplayName = id, Tasks = { task } },
        });
    }

    internal async Task<EvaluationRun> CreateRunAsync(string suite, string model = "models/good/versions/1", ulong seed = 0) =>
        await Client.CreateEvaluationRunAsync(new CreateEvaluationRunRequest
        {
            EvaluationRun = new EvaluationRun { Suite = suite, ModelVersion = model, Seed = seed, Labels = { ["purpose"] = "test" } },
        });

    /// <summary>Waits for the end of a run by following it, and returns it and all it said.</summary>
    internal async Task<(EvaluationRun Run, List<JobEvent> Events)> FinishAsync(EvaluationRun run)
    {
        using var watch = Client.WatchEvaluationRun(new WatchEvaluationRunRequest { Name = run.Name }, Call);
        var events = new List<JobEvent>();
        await foreach (var response in watch.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (response.Update.Event is { } change)
            {
                events.Add(change);
            }
        }
        return (await Client.GetEvaluationRunAsync(new GetEvaluationRunRequest { Name = run.Name }), events);
    }

    internal async Task<EvaluationRun> RunAsync(string suite, string model = "models/good/versions/1", ulong seed = 0) =>
        (await FinishAsync(await CreateRunAsync(suite, model, seed))).Run;

    internal async Task<ListEvaluationResultsResponse> ResultsAsync(EvaluationRun run) =>
        await Client.ListEvaluationResultsAsync(new ListEvaluationResultsRequest { Parent = run.Name, PageSize = 1000 });

    /// <summary>Asserts that a call fails with a reason, and returns the error.</summary>
    internal static async Task<DomainException> AssertFailsAsync(ErrorReason reason, Func<Task> call)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(call);
        var error = ErrorStatus.FromPeer(exception);
        Assert.True(error?.Reason == reason, $"Expected {reason}, got {exception.Status}.");
        return error!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in new[] { _server, _peers }.OfType<TestServer>())
        {
            await server.DisposeAsync();
        }
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
        _folder.Dispose();
    }
}
