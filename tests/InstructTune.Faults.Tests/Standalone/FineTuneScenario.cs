using System.Text;
using InstructTune.Client;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Standalone;

/// <summary>A tiny base, two datasets, and a two-stage job over them with dropout and frequent checkpoints.</summary>
internal static class FineTuneScenario
{
    public const int PlannedSteps = 60;

    private const string Base = "tiny";

    private static readonly LlamaConfig Config = new()
    {
        VocabularySize = BytePairTrainer.SmallestVocabulary,
        ModelWidth = 32,
        FeedForwardWidth = 64,
        LayerCount = 2,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadWidth = 8,
        ContextTokens = 512,
        TiedEmbeddings = true,
        BeginOfTextId = 0,
        EndOfTextIds = [1],
    };

    public static async Task PrepareAsync(InstructTuneClient client, CancellationToken ct)
    {
        using var folder = new TemporaryFolder();
        using (var model = LlamaModel.CreateRandom(Config, StepSeed.Of(5, "", 0, "test")))
        {
            HuggingFaceFolder.Write(folder.Path, model);
        }

        BytePairTrainer.Train([], BytePairTrainer.SmallestVocabulary).Write(folder.Path, Config.ContextTokens);
        var header = new UploadModelVersionRequest.Types.Header { Parent = $"models/{Base}" };
        await client.UploadModelVersionAsync(header, folder.Path, ct: ct);
        await UploadAsync(client, "general", 40, number => $$"""{"instruction": "Say {{number}}.", "input": "", "output": "{{number}} it is."}""", ct);
        await UploadAsync(client, "special", 24, number => $$"""{"instruction": "Double {{number}}.", "input": "x", "output": "{{2 * number}}"}""", ct);
    }

    /// <summary>Creates the job; equal calls give jobs with equal specs.</summary>
    public static async Task<string> CreateJobAsync(InstructTuneClient client, CancellationToken ct)
    {
        var spec = new FineTuneSpec
        {
            BaseModel = $"models/{Base}/versions/1",
            Seed = 11,
            DisableStageReuse = true,
            Stages = { Stage("generalist", "general"), Stage("specialist", "special") },
            CheckpointPolicy = new FineTuneSpec.Types.CheckpointPolicy { EverySteps = 4, KeepLast = 2 },
            Method = new FineTuneSpec.Types.TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 4, Dropout = 0.1 } },
        };
        var job = await client.FineTunes.CreateFineTuneJobAsync(
            new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = spec }, RequestId = Guid.NewGuid().ToString() }, cancellationToken: ct);
        return job.Name;
    }

    private static FineTuneSpec.Types.Stage Stage(string id, string dataset) => new()
    {
        StageId = id,
        Dataset = "datasets/" + dataset,
        Epochs = 100,
        MaxSteps = PlannedSteps / 2,
        BatchSize = 8,
        MaxSequenceTokens = 256,
        PeakLearningRate = 1e-2,
    };

    private static async Task UploadAsync(InstructTuneClient client, string id, int count, Func<int, string> line, CancellationToken ct)
    {
        using var folder = new TemporaryFolder();
        AtomicFile.Write(folder["rows.jsonl"], Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, count).Select(line))));
        await client.Datasets.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = id }, cancellationToken: ct);
        await client.UploadDatasetAsync("datasets/" + id, [folder.Path], new SourceOptions { Format = SourceFormat.JsonLines }, ct: ct);
    }
}
