using Google.Protobuf;
using Grpc.Core;
using InstructTune.Dataset;
using InstructTune.Hosting;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>The dataset service and the trainer, API and worker, over a real store, with a tiny base and a few datasets.</summary>
public sealed class TrainerFixture : IAsyncLifetime
{
    private readonly StoreFixture _stores = new();
    private readonly TemporaryFolder _folder = new();
    private TestServer _datasets = null!;
    private TestServer _trainer = null!;

    public FineTuneService.FineTuneServiceClient Jobs { get; private set; } = null!;

    public string Base { get; private set; } = "";

    public string Adapter { get; private set; } = "";

    /// <summary>Where the store of jobs is.</summary>
    public string Store { get; private set; } = "";

    internal string StorageRoot => _folder["storage"];

    internal Grpc.Core.ChannelBase Channel => _trainer.Channel;

    internal IServiceProvider Services => _trainer.Services;

    internal IModelRegistry Registry => Services.GetRequiredService<IModelRegistry>();

    public async ValueTask InitializeAsync()
    {
        Store = (await _stores.ServerAsync(StoreKind.Garnet)).Configuration;
        _datasets = await TestServer.StartAsync(b => b.AddDataset(), a => a.MapDataset(), ("Storage:Root", StorageRoot));
        _trainer = await StartTrainerAsync(Store, "All");
        Jobs = new FineTuneService.FineTuneServiceClient(_trainer.Channel);
        var artifacts = Services.GetRequiredService<IArtifactStore>();
        var tiny = await TinyBase.RegisterAsync(artifacts, Registry, "tiny");
        Base = tiny.Name;
        Adapter = (await Registry.RegisterAsync(
            new NewModelVersion
            {
                Model = "tiny-adapter",
                Kind = ModelKind.LoraAdapter,
                BaseModelVersion = Base,
                ManifestSha256 = tiny.ManifestSha256,
                ParameterCount = 1,
                ContextTokens = tiny.ContextTokens,
                PromptFormat = "alpaca",
                PromptFormatSha256 = "",
                Architecture = tiny.Architecture,
                SizeBytes = 1,
                Adapter = new AdapterFacts(4, 8, ["q_proj"], RankStabilized: false),
            },
            CancellationToken.None)).Name;
        await UploadAsync("general", 40, i => $$"""{"instruction": "Say {{i}}.", "input": "", "output": "{{i}} it is."}""");
        await UploadAsync("special", 24, i => $$"""{"instruction": "Double {{i}}.", "input": "x", "output": "{{2 * i}}"}""");
        await UploadAsync("texts", 6, i => $$"""{"text": "{{string.Concat(Enumerable.Repeat($"Plain text {i}. ", 30))}}"}""");
        await UploadAsync("long-answers", 4, i => $$"""{"instruction": "Go.", "output": "{{new string('x', 300 + i)}}"}""");
    }

    /// <summary>Another trainer over the same storage and datasets.</summary>
    internal Task<TestServer> StartTrainerAsync(string redis, string role, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Storage:Root"] = StorageRoot,
            ["Redis:Configuration"] = redis,
            ["Peers:Dataset"] = _datasets.Address,
            ["Trainer:Role"] = role,
            ["Torch:Threads"] = "1",
            ["Jobs:PollInterval"] = "00:00:00.050",
        };
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return TestServer.StartAsync(b => b.AddTrainer(), a => a.MapTrainer(), [.. all.Select(setting => (setting.Key, setting.Value))]);
    }

    /// <summary>Trains every stage: what one test trained is nothing to another.</summary>
    public FineTuneSpec Spec(params FineTuneSpec.Types.Stage[] stages) => new() { BaseModel = Base, Seed = 11, Stages = { stages }, DisableStageReuse = true };

    /// <summary>What a call was refused with.</summary>
    public static async Task<DomainException> FailureAsync(Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(call);
        return ErrorStatus.FromPeer(failure) ?? throw new InvalidOperationException($"no reason came with: {failure.Status}");
    }

    public static FineTuneSpec.Types.Stage Stage(string id, string dataset, double epochs = 1, int maxSequenceTokens = 256) => new()
    {
        StageId = id, Dataset = "datasets/" + dataset, Epochs = epochs, BatchSize = 8, MaxSequenceTokens = maxSequenceTokens, PeakLearningRate = 1e-2,
    };

    /// <summary>A short valid job.</summary>
    public FineTuneSpec SmallSpec() => Spec(Stage("only", "special"));

    public async Task<FineTuneJob> CreateAsync(FineTuneSpec spec, string id = "", string requestId = "") =>
        await CreateAsync(Jobs, spec, id, requestId);

    public static async Task<FineTuneJob> CreateAsync(
        FineTuneService.FineTuneServiceClient jobs, FineTuneSpec spec, string id = "", string requestId = "") => await jobs.CreateFineTuneJobAsync(
        new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = spec }, FineTuneJobId = id, RequestId = requestId });

    /// <summary>Watches until the condition holds, and returns that event.</summary>
    public async Task<JobEvent> WatchUntilAsync(string name, Func<JobEvent, bool> isReached)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var watch = Jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name }, cancellationToken: limit.Token);
        while (await watch.ResponseStream.MoveNext(limit.Token))
        {
            if (watch.ResponseStream.Current.Update.Event is { } entry && isReached(entry))
            {
                return entry;
            }
        }

        throw new InvalidOperationException($"{name} ended before.");
    }

    /// <summary>The job once it succeeded, and its whole history.</summary>
    public async Task<(FineTuneJob Job, IReadOnlyList<JobEvent> Events)> RunAsync(FineTuneSpec spec)
    {
        var (job, events) = await EndOfAsync((await CreateAsync(spec)).Name);
        return job.Job.State == JobState.Succeeded ? (job, events) : throw new InvalidOperationException(job.Job.Error?.ToString());
    }

    /// <summary>The job once it is terminal, and its whole history.</summary>
    public async Task<(FineTuneJob Job, IReadOnlyList<JobEvent> Events)> EndOfAsync(string name, long afterSequence = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var events = new List<JobEvent>();
        using var watch = Jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name, AfterSequence = afterSequence }, cancellationToken: limit.Token);
        while (await watch.ResponseStream.MoveNext(limit.Token))
        {
            if (watch.ResponseStream.Current.Update.Event is { } entry)
            {
                events.Add(entry);
            }
        }

        return (await Jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = name }), events);
    }

    /// <summary>The logs of a job, by file.</summary>
    public async Task<SortedDictionary<string, string>> LogsAsync(string job)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var stream = Jobs.ReadTrainingLogs(new ReadTrainingLogsRequest { Parent = job }, cancellationToken: TestContext.Current.CancellationToken);
        while (await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            var part = stream.ResponseStream.Current;
            files[part.Path] = files.GetValueOrDefault(part.Path, "") + part.Data.ToStringUtf8();
        }

        return files;
    }

    /// <summary>The digests of the weights alone: of jobs that say different things about themselves in their cards.</summary>
    internal async Task<IReadOnlyList<string>> WeightsOfAsync(FineTuneJob job)
    {
        var files = await Services.GetRequiredService<IArtifactStore>().OpenAsync(VersionOf(job).ManifestSha256, CancellationToken.None);
        return [.. files.Manifest.Files.Where(file => file.Path.EndsWith(".safetensors", StringComparison.Ordinal)).Select(file => $"{file.Path} {file.Sha256}")];
    }

    internal ModelVersionRecord VersionOf(FineTuneJob job)
    {
        var parts = job.ModelVersion.Split('/');
        return Registry.Find(parts[1], parts[3])!;
    }

    public async ValueTask DisposeAsync()
    {
        await _trainer.DisposeAsync();
        await _datasets.DisposeAsync();
        await _stores.DisposeAsync();
        _folder.Dispose();
    }

    private async Task UploadAsync(string id, int count, Func<int, string> line)
    {
        var client = new DatasetService.DatasetServiceClient(_datasets.Channel);
        await client.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = id });
        using var upload = client.UploadDataset();
        await upload.RequestStream.WriteAsync(new UploadDatasetRequest
        {
            Header = new UploadDatasetRequest.Types.Header
            {
                Parent = "datasets/" + id, Options = new SourceOptions { Format = SourceFormat.JsonLines },
            },
        });
        var lines = string.Join('\n', Enumerable.Range(0, count).Select(line));
        await upload.RequestStream.WriteAsync(new UploadDatasetRequest
        {
            Chunk = new UploadDatasetRequest.Types.Chunk { FileName = "rows.jsonl", Data = ByteString.CopyFromUtf8(lines) },
        });
        await upload.RequestStream.CompleteAsync();
        await upload;
    }
}
