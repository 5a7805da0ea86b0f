using Google.Protobuf;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Integration.Tests.Trainer;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Storage;

/// <summary>
/// The disk is full at the moment when a call writes: its caller is told so, nothing of it is left, and the same call succeeds once
/// there is space. Alone, because the moment is named to the whole process.
/// </summary>
[Collection(FullDiskCollection.Name)]
public sealed class FullDiskTests : IAsyncLifetime
{
    private const int NoSpaceLeft = 28;
    private const string Base = "models/tiny/versions/1";
    private const string Rows = "datasets/rows/versions/latest";

    private readonly TemporaryFolder _folder = new();
    private GarnetStore _store = null!;
    private TestServer _server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private DatasetService.DatasetServiceClient Datasets => new(_server.Channel);

    private ModelRegistryService.ModelRegistryServiceClient Models => new(_server.Channel);

    private FineTuneService.FineTuneServiceClient Jobs => new(_server.Channel);

    private EvaluationService.EvaluationServiceClient Evaluations => new(_server.Channel);

    public async ValueTask InitializeAsync()
    {
        _store = GarnetStore.Start();
        _server = await AllServices.StartAsync(_store.Configuration, _folder.Path);
        await TinyBase.RegisterAsync(_server.Services.GetRequiredService<IArtifactStore>(), _server.Services.GetRequiredService<IModelRegistry>(), "tiny");
        await Datasets.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = "rows" }, cancellationToken: Ct);
        await UploadRowsAsync("datasets/rows", 40);
    }

    public async ValueTask DisposeAsync()
    {
        FailPoint.Handler = null;
        await _server.DisposeAsync();
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    [Covers("DatasetService/CreateDataset", "STORAGE_FULL")]
    public Task A_dataset_is_created_once_there_is_space() =>
        IsToldAsync("file.before-write", async () => await Datasets.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = "other" }, cancellationToken: Ct));

    [Theory]
    [InlineData("upload.before-write")]
    [InlineData("shard.before-write")]
    [InlineData("artifact.before-write")]
    [Covers("DatasetService/UploadDataset", "STORAGE_FULL")]
    public async Task An_upload_of_data_leaves_nothing(string point)
    {
        await IsToldAsync(point, () => UploadRowsAsync("datasets/rows", 50), afterFailure: async () => Assert.Single((await Datasets.ListDatasetVersionsAsync(
            new ListDatasetVersionsRequest { Parent = "datasets/rows" }, cancellationToken: Ct)).DatasetVersions));
    }

    [Fact]
    [Covers("DatasetService/SplitDatasetVersion", "STORAGE_FULL")]
    public Task A_split_leaves_nothing() => IsToldAsync("shard.before-write", async () => await Datasets.SplitDatasetVersionAsync(
        new SplitDatasetVersionRequest { Name = Rows, Fractions = { ["a"] = 0.5, ["b"] = 0.5 } }, cancellationToken: Ct));

    [Theory]
    [InlineData("upload.before-write")]
    [InlineData("file.before-write")]
    [Covers("ModelRegistryService/UploadModelVersion", "STORAGE_FULL")]
    public Task An_import_of_a_model_leaves_nothing(string point) => IsToldAsync(point, () => UploadModelAsync("models/imported"), afterFailure: async () =>
        Assert.DoesNotContain((await Models.ListModelsAsync(new ListModelsRequest(), cancellationToken: Ct)).Models, model => model.Name == "models/imported"));

    [Fact]
    [Covers("ModelRegistryService/MergeModelVersions", "STORAGE_FULL")]
    public Task A_merge_leaves_nothing() => IsToldAsync("file.before-write", async () => await Models.MergeModelVersionsAsync(
        new MergeModelVersionsRequest
        {
            Parent = "models/merged", BaseModelVersion = Base, Components = { new MergeModelVersionsRequest.Types.Component { ModelVersion = Base, Weight = 0.5 } },
        },
        cancellationToken: Ct));

    [Fact]
    [Covers("ModelRegistryService/ExportModelVersion", "STORAGE_FULL")]
    public Task An_export_leaves_no_scratch() => IsToldAsync("export.before-write", ExportAsync, afterFailure: () =>
    {
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder.Path, "staging")));
        return Task.CompletedTask;
    });

    [Fact]
    [Covers("FineTuneService/CreateFineTuneJob", "STORAGE_FULL")]
    [Covers("FineTuneService/PauseFineTuneJob", "STORAGE_FULL")]
    [Covers("FineTuneService/CancelFineTuneJob", "STORAGE_FULL")]
    public async Task A_job_is_created_paused_and_cancelled_once_there_is_space()
    {
        FineTuneJob job = null!;
        await IsToldAsync("file.before-write", async () => job = await Jobs.CreateFineTuneJobAsync(
            new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = LongSpec() } }, cancellationToken: Ct));
        Assert.Single((await Jobs.ListFineTuneJobsAsync(new ListFineTuneJobsRequest(), cancellationToken: Ct)).FineTuneJobs);
        await IsToldAsync("file.before-write", async () => await Jobs.PauseFineTuneJobAsync(new PauseFineTuneJobRequest { Name = job.Name }, cancellationToken: Ct));
        var other = await Jobs.CreateFineTuneJobAsync(new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = LongSpec() } }, cancellationToken: Ct);
        await IsToldAsync("file.before-write", async () => await Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = other.Name }, cancellationToken: Ct));
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationSuite", "STORAGE_FULL")]
    [Covers("EvaluationService/CreateEvaluationRun", "STORAGE_FULL")]
    [Covers("EvaluationService/CancelEvaluationRun", "STORAGE_FULL")]
    public async Task A_run_is_created_and_cancelled_once_there_is_space()
    {
        var suite = new EvaluationSuite
        {
            Tasks = { new EvaluationSuite.Types.Task { TaskId = "t", DatasetVersion = Rows, Metrics = { "rougeL" }, MaxOutputTokens = 300 } },
        };
        await IsToldAsync("file.before-write", async () => suite = await Evaluations.CreateEvaluationSuiteAsync(
            new CreateEvaluationSuiteRequest { EvaluationSuiteId = "suite", EvaluationSuite = suite }, cancellationToken: Ct));
        EvaluationRun run = null!;
        await IsToldAsync("file.before-write", async () => run = await Evaluations.CreateEvaluationRunAsync(
            new CreateEvaluationRunRequest { EvaluationRun = new EvaluationRun { Suite = suite.Name, ModelVersion = Base } }, cancellationToken: Ct));
        await IsToldAsync("file.before-write", async () => await Evaluations.CancelEvaluationRunAsync(new CancelEvaluationRunRequest { Name = run.Name }, cancellationToken: Ct));
    }

    private async Task IsToldAsync(string point, Func<Task> call, Func<Task>? afterFailure = null)
    {
        FailPoint.Handler = name =>
        {
            if (name == point)
            {
                throw new IOException("No space left on device", NoSpaceLeft);
            }
        };
        try
        {
            var failure = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal((StatusCode.ResourceExhausted, ErrorReason.StorageFull), (failure.StatusCode, ErrorStatus.FromPeer(failure)!.Reason));
        }
        finally
        {
            FailPoint.Handler = null;
        }

        await (afterFailure?.Invoke() ?? Task.CompletedTask);
        await call();
    }

    private static FineTuneSpec LongSpec() => new()
    {
        BaseModel = Base,
        DisableStageReuse = true,
        Stages = { new FineTuneSpec.Types.Stage { StageId = "s", Dataset = "datasets/rows", Epochs = 1000, BatchSize = 4, MaxSequenceTokens = 64, PeakLearningRate = 1e-3 } },
        Method = new FineTuneSpec.Types.TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 2 } },
    };

    private async Task ExportAsync()
    {
        using var export = Models.ExportModelVersion(
            new ExportModelVersionRequest { Name = Base, ModelExport = new ModelExport { Format = ModelExport.Types.Format.Safetensors } }, cancellationToken: Ct);
        while (await export.ResponseStream.MoveNext(Ct))
        {
            Assert.NotNull(export.ResponseStream.Current);
        }
    }

    private async Task UploadModelAsync(string parent)
    {
        var record = _server.Services.GetRequiredService<IModelRegistry>().Find("tiny", "1")!;
        var artifact = await _server.Services.GetRequiredService<IArtifactStore>().OpenAsync(record.ManifestSha256, Ct);
        using var upload = Models.UploadModelVersion(cancellationToken: Ct);
        await SendAsync(upload.RequestStream, [
            new UploadModelVersionRequest { Header = new UploadModelVersionRequest.Types.Header { Parent = parent } },
            .. artifact.Manifest.Files.Select(file => new UploadModelVersionRequest
            {
                Chunk = new UploadModelVersionRequest.Types.Chunk { FileName = file.Path, Data = ByteString.CopyFrom(File.ReadAllBytes(Path.Combine(artifact.Path, file.Path))) },
            }),
        ]);
        await upload;
    }

    private async Task UploadRowsAsync(string parent, int count)
    {
        var lines = string.Join('\n', Enumerable.Range(0, count).Select(i => $$"""{"instruction": "Count from {{i}}.", "input": "", "output": "{{i}} {{i + 1}}"}"""));
        using var upload = Datasets.UploadDataset(cancellationToken: Ct);
        await SendAsync(upload.RequestStream, [
            new UploadDatasetRequest { Header = new UploadDatasetRequest.Types.Header { Parent = parent } },
            new UploadDatasetRequest { Chunk = new UploadDatasetRequest.Types.Chunk { FileName = "rows.jsonl", Data = ByteString.CopyFromUtf8(lines) } },
        ]);
        await upload;
    }

    private static async Task SendAsync<T>(IClientStreamWriter<T> stream, IEnumerable<T> messages)
    {
        try
        {
            foreach (var message in messages)
            {
                await stream.WriteAsync(message, Ct);
            }

            await stream.CompleteAsync();
        }
        catch (RpcException)
        {
            // The server refused before the end; the answer says why.
        }
    }
}

/// <summary>Fail points are the process's: no other test may run beside these.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FullDiskCollection
{
    public const string Name = "a full disk";
}
