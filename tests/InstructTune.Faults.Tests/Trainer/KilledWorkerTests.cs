using System.Globalization;
using Google.Protobuf;
using InstructTune.Dataset;
using InstructTune.Integration.Tests.Trainer;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using Stage = InstructTune.V1.FineTuneSpec.Types.Stage;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Workers that are killed in the middle of a two-stage job. The seed of the moments is printed; <c>INSTRUCTTUNE_SEED</c> sets it.</summary>
public sealed class KilledWorkerTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Kills = 6;
    private const int PlannedSteps = 40;

    private readonly StoreFixture _stores = new();
    private readonly TemporaryFolder _folder = new();
    private Dictionary<string, string> _settings = [];
    private TestServer _datasets = null!;
    private TestServer _api = null!;
    private FineTuneService.FineTuneServiceClient _jobs = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var root = _folder["storage"];
        _datasets = await TestServer.StartAsync(b => b.AddDataset(), a => a.MapDataset(), ("Storage:Root", root));
        _settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Storage:Root"] = root,
            ["Redis:Configuration"] = (await _stores.ServerAsync(StoreKind.Garnet)).Configuration,
            ["Peers:Dataset"] = _datasets.Address,
            ["Torch:Threads"] = "1",
            ["Jobs:Duration"] = "00:00:03",
            ["Jobs:RenewalInterval"] = "00:00:00.500",
            ["Jobs:PollInterval"] = "00:00:00.100",
            ["Jobs:ReapInterval"] = "00:00:00.200",
        };
        _api = await TestServer.StartAsync(
            b => b.AddTrainer(), a => a.MapTrainer(), [.. _settings.Select(setting => (setting.Key, setting.Value)), ("Trainer:Role", "Api")]);
        _jobs = new FineTuneService.FineTuneServiceClient(_api.Channel);
        await TinyBase.RegisterAsync(
            _api.Services.GetRequiredService<IArtifactStore>(), _api.Services.GetRequiredService<IModelRegistry>(), "tiny");
        await UploadAsync("rows", 80);
    }

    [Fact]
    public async Task A_job_whose_worker_is_killed_again_and_again_gives_the_weights_and_the_history_of_an_undisturbed_one()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("INSTRUCTTUNE_SEED") ?? "20251", CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed}");
        var undisturbed = await TrainAsync("undisturbed", []);
        var disturbed = await TrainAsync("disturbed", KillSteps(seed));

        Assert.Equal(JobState.Succeeded, undisturbed.Job.Job.State);
        Assert.Equal(JobState.Succeeded, disturbed.Job.Job.State);
        Assert.InRange(disturbed.Job.Job.Attempt, 2, Kills + 1);
        Assert.Equal(Digest(undisturbed.Job), Digest(disturbed.Job));
        Assert.Equal(Enumerable.Range(1, disturbed.Events.Count).Select(i => (long)i), disturbed.Events.Select(entry => entry.Sequence));
        Assert.Equal(Losses(undisturbed.Events), Losses(disturbed.Events));
        Assert.Equal(PlannedSteps, Losses(disturbed.Events).Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _datasets.DisposeAsync();
        await _stores.DisposeAsync();
        _folder.Dispose();
    }

    // Moments between two steps of the whole job, in order; each is reached by progress, never by waiting.
    private static Queue<long> KillSteps(int seed)
    {
        var random = new Random(seed);
        return new Queue<long>(Enumerable.Range(0, Kills).Select(_ => random.NextInt64(1, PlannedSteps)).Order());
    }

    // For each step the report of the greatest attempt is the valid one.
    private static Dictionary<long, double> Losses(IEnumerable<JobEvent> events) => events
        .Where(entry => entry.MetricsReported is not null)
        .GroupBy(entry => entry.MetricsReported.Step)
        .ToDictionary(steps => steps.Key, steps => steps.MaxBy(entry => entry.Attempt)!.MetricsReported.Values["training_loss"]);

    private async Task<(FineTuneJob Job, IReadOnlyList<JobEvent> Events)> TrainAsync(string id, Queue<long> killSteps)
    {
        await _jobs.CreateFineTuneJobAsync(
            new CreateFineTuneJobRequest { FineTuneJobId = id, FineTuneJob = new FineTuneJob { Spec = Spec() } }, cancellationToken: Token);
        var name = "fineTuneJobs/" + id;
        var events = new List<JobEvent>();
        var worker = WorkerProcess.Start(_settings);
        try
        {
            using var watch = _jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name }, cancellationToken: Token);
            while (await watch.ResponseStream.MoveNext(Token))
            {
                if (watch.ResponseStream.Current.Update.Event is not { } entry)
                {
                    continue;
                }

                events.Add(entry);
                if (entry.MetricsReported is { } metrics && killSteps.TryPeek(out var step) && metrics.Step >= step)
                {
                    killSteps.Dequeue();
                    await worker.KillAsync();
                    worker.Dispose();
                    worker = WorkerProcess.Start(_settings);
                }
            }
        }
        finally
        {
            worker.Dispose();
        }

        return (await _jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = name }, cancellationToken: Token), events);
    }

    private static FineTuneSpec Spec()
    {
        Stage[] stages = [.. new[] { "generalist", "specialist" }.Select(id => new Stage
        {
            StageId = id, Dataset = "datasets/rows", Epochs = 2, BatchSize = 8, MaxSequenceTokens = 256, PeakLearningRate = 1e-2,
        })];
        return new FineTuneSpec
        {
            BaseModel = "models/tiny/versions/1",
            Seed = 7,
            DisableStageReuse = true,
            Stages = { stages },
            Method = new FineTuneSpec.Types.TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 4, Dropout = 0.1 } },
            CheckpointPolicy = new FineTuneSpec.Types.CheckpointPolicy { EverySteps = 3 },
        };
    }

    private string Digest(FineTuneJob job)
    {
        var parts = job.ModelVersion.Split('/');
        return _api.Services.GetRequiredService<IModelRegistry>().Find(parts[1], parts[3])!.ManifestSha256;
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
