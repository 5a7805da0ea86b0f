using Google.Protobuf;
using InstructTune.Dataset;
using InstructTune.Dataset.Versions;
using InstructTune.Faults.Tests.Hooks;
using InstructTune.Integration.Tests.Trainer;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using JobState = InstructTune.V1.JobState;
using Stage = InstructTune.V1.FineTuneSpec.Types.Stage;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Dataset service and trainer API in this process, workers as processes of their own, a tiny base and a dataset.</summary>
public sealed class TrainerScene : IAsyncLifetime
{
    public const int PlannedSteps = 40;

    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(0.5);
    public static readonly TimeSpan Reap = TimeSpan.FromSeconds(0.2);
    public static readonly TimeSpan HungLimit = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(6);

    private readonly StoreFixture _stores = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<bool, Task<(FineTuneJob Job, IReadOnlyList<JobEvent> Events)>> _undisturbed = [];
    private TestServer _datasets = null!;
    private TestServer _api = null!;

    internal string Root => _folder["storage"];

    internal Dictionary<string, string> Settings { get; private set; } = [];

    internal IServiceProvider Services => _api.Services;

    internal JobStore Store => Services.GetRequiredKeyedService<JobStore>("fine-tune");

    public FineTuneService.FineTuneServiceClient Jobs { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _datasets = await TestServer.StartAsync(b => b.AddDataset(), a => a.MapDataset(), ("Storage:Root", Root));
        Settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Storage:Root"] = Root,
            ["Redis:Configuration"] = (await _stores.ServerAsync(StoreKind.Garnet)).Configuration,
            ["Peers:Dataset"] = _datasets.Address,
            ["Torch:Threads"] = "1",
            ["Jobs:Duration"] = Lease.ToString(),
            ["Jobs:RenewalInterval"] = Renewal.ToString(),
            ["Jobs:PollInterval"] = "00:00:00.100",
            ["Jobs:ReapInterval"] = Reap.ToString(),
            ["Jobs:StallLimit"] = StallLimit.ToString(),
            ["Jobs:HungLimit"] = HungLimit.ToString(),
            ["Jobs:RetryUnit"] = "00:00:00.100",
            ["Trainer:StorageRetryInterval"] = "00:00:00.200",
        };
        _api = await TestServer.StartAsync(
            b => b.AddTrainer(), a => a.MapTrainer(), [.. Settings.Select(setting => (setting.Key, setting.Value)), ("Trainer:Role", "Api")]);
        Jobs = new FineTuneService.FineTuneServiceClient(_api.Channel);
        await TinyBase.RegisterAsync(Services.GetRequiredService<IArtifactStore>(), Services.GetRequiredService<IModelRegistry>(), "tiny");
        await UploadAsync("rows", 80);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _datasets.DisposeAsync();
        await _stores.DisposeAsync();
        _folder.Dispose();
    }

    internal WorkerProcess StartWorker(FaultPlan? fault = null, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(Settings, StringComparer.Ordinal);
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return WorkerProcess.Start(all, fault);
    }

    /// <summary>Two stages of 20 steps, with dropout, and a checkpoint every 3 steps.</summary>
    public static FineTuneSpec Spec(bool isFull = false)
    {
        Stage[] stages = [.. new[] { "generalist", "specialist" }.Select(id => new Stage
        {
            StageId = id, Dataset = "datasets/rows", Epochs = 2, BatchSize = 8, MaxSequenceTokens = 256, PeakLearningRate = isFull ? 1e-3 : 1e-2,
        })];
        return new FineTuneSpec
        {
            BaseModel = "models/tiny/versions/1",
            Seed = 7,
            DisableStageReuse = true,

            // Kills that come faster than checkpoints are the test's doing: five of them would end the job, as they should.
            MaxAttempts = 1000,
            Stages = { stages },
            Method = isFull
                ? new FineTuneSpec.Types.TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() }
                : new FineTuneSpec.Types.TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 4, Dropout = 0.1 } },
            CheckpointPolicy = new FineTuneSpec.Types.CheckpointPolicy { EverySteps = 3 },
        };
    }

    /// <summary>The same job with nothing done to it; trained once.</summary>
    public Task<(FineTuneJob Job, IReadOnlyList<JobEvent> Events)> UndisturbedAsync(bool isFull)
    {
        if (!_undisturbed.TryGetValue(isFull, out var run))
        {
            _undisturbed[isFull] = run = RunUndisturbedAsync(isFull);
        }

        return run;
    }

    public async Task<string> CreateAsync(FineTuneSpec spec) => (await Jobs.CreateFineTuneJobAsync(
        new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = spec } }, cancellationToken: Token)).Name;

    public async Task<FineTuneJob> GetAsync(string name) =>
        await Jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = name }, cancellationToken: Token);

    /// <summary>Follows a job to its end; <paramref name="onEvent"/> sees each event as it comes. Returns all of them.</summary>
    public async Task<IReadOnlyList<JobEvent>> WatchAsync(string name, Func<JobEvent, Task> onEvent)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(FaultSettings.IsLong ? TimeSpan.FromMinutes(30) : TimeSpan.FromMinutes(2));
        var events = new List<JobEvent>();
        using var watch = Jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name }, cancellationToken: limit.Token);
        while (await watch.ResponseStream.MoveNext(limit.Token))
        {
            if (watch.ResponseStream.Current.Update.Event is { } entry)
            {
                events.Add(entry);
                await onEvent(entry);
            }
        }

        return events;
    }

    public Task<IReadOnlyList<JobEvent>> WatchAsync(string name) => WatchAsync(name, static _ => Task.CompletedTask);

    /// <summary>Watches until the condition holds.</summary>
    public async Task<JobEvent> ReachedAsync(string name, Func<JobEvent, bool> isReached)
    {
        using var watch = Jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name }, cancellationToken: Token);
        while (await watch.ResponseStream.MoveNext(Token))
        {
            if (watch.ResponseStream.Current.Update.Event is { } entry && isReached(entry))
            {
                return entry;
            }
        }

        throw new InvalidOperationException($"{name} ended before.");
    }

    /// <summary>Everything that must hold of a job, whatever was done to it: J1 to J5, C1 to C3.</summary>
    public async Task CheckAsync(string name, bool isFull, IReadOnlyList<JobEvent> events)
    {
        var job = await GetAsync(name);
        Assert.True(job.Job.State == JobState.Succeeded, $"{job.Job.State}: {job.Job.Error}");
        await InvariantChecker.CheckQueueAsync(Store, Token);
        CheckpointInvariants.Check(Services, await Store.GetAsync(name.Split('/')[1], Token) ?? throw new InvalidOperationException("J1"), events);
        var (undisturbed, expected) = await UndisturbedAsync(isFull);
        Assert.Equal(Losses(expected), Losses(events));
        Assert.Equal(Digest(undisturbed), Digest(job));
    }

    /// <summary>Of each step the report of the greatest attempt.</summary>
    public static IReadOnlyDictionary<long, double> Losses(IEnumerable<JobEvent> events) => events
        .Where(entry => entry.MetricsReported is not null)
        .GroupBy(entry => entry.MetricsReported.Step)
        .OrderBy(steps => steps.Key)
        .ToDictionary(steps => steps.Key, steps => steps.MaxBy(entry => entry.Attempt)!.MetricsReported.Values["training_loss"]);

    public string Digest(FineTuneJob job)
    {
        var parts = job.ModelVersion.Split('/');
        return Services.GetRequiredService<IModelRegistry>().Find(parts[1], parts[3])!.ManifestSha256;
    }

    /// <summary>The artifact that holds the rows.</summary>
    public string DatasetDigest() => _datasets.Services.GetRequiredService<VersionStore>().FindVersion("rows", "latest")!.Content.ManifestSha256;

    private async Task<(FineTuneJob Job, IReadOnlyList<JobEvent> Events)> RunUndisturbedAsync(bool isFull)
    {
        var name = await CreateAsync(Spec(isFull));
        using var worker = StartWorker();
        var events = await WatchAsync(name);
        var job = await GetAsync(name);
        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString() + worker.Log());
        Assert.Equal(PlannedSteps, Losses(events).Count);
        return (job, events);
    }

    private async Task UploadAsync(string id, int count)
    {
        var client = new DatasetService.DatasetServiceClient(_datasets.Channel);
        await client.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = id });
        using var upload = client.UploadDataset();
        await upload.RequestStream.WriteAsync(new UploadDatasetRequest { Header = new UploadDatasetRequest.Types.Header { Parent = "datasets/" + id } });
        var lines = string.Join('\n', Enumerable.Range(0, count).Select(i => $$"""{"instruction": "Count from {{i}}.", "input": "", "output": "{{i}} {{i + 1}}"}"""));
        await upload.RequestStream.WriteAsync(new UploadDatasetRequest
        {
            Chunk = new UploadDatasetRequest.Types.Chunk { FileName = "rows.jsonl", Data = ByteString.CopyFromUtf8(lines) },
        });
        await upload.RequestStream.CompleteAsync();
        await upload;
    }
}

/// <summary>The attacks on workers run one after the other: each measures time.</summary>
[CollectionDefinition(Name)]
public sealed class TrainerCollection : ICollectionFixture<TrainerScene>
{
    public const string Name = "workers of the trainer";
}
