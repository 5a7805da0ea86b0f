using System.Globalization;
using System.Text.Json;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using static TorchSharp.torch;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// What a checkpoint holds beside its manifest. The names are those of Hugging Face where it has any, so that viewers can read them; there is no
/// state of a random generator, because randomness has none.
/// </summary>
internal static class CheckpointFiles
{
    public const string OptimizerFile = "optimizer.safetensors";
    private const string ProgressFile = "progress.json";
    private const string StepTensor = "step";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void Write(string folder, TrainedModel model, Optimizer optimizer, StageRun run, JobProgress progress, ulong seed)
    {
        model.SaveWeights(folder);
        using (var step = tensor(optimizer.StepCount))
        {
            SafetensorsWriter.Write(Path.Combine(folder, OptimizerFile), [.. optimizer.Moments(), new NamedTensor(StepTensor, step)]);
        }

        WriteJson(folder, ProgressFile, progress);
        WriteJson(folder, "trainer_rng.json", new { scheme = StepSeed.Scheme, seed = seed.ToString(CultureInfo.InvariantCulture) });
        WriteJson(folder, "data_state.json", DataState(run, progress));
    }

    public static JobProgress ReadProgress(string folder) =>
        JsonSerializer.Deserialize<JobProgress>(File.ReadAllBytes(Path.Combine(folder, ProgressFile)), Json)!;

    /// <summary>Gives an optimizer the saved moments. Runs on the training thread.</summary>
    public static void RestoreMoments(string folder, Optimizer optimizer)
    {
        using var scope = NewDisposeScope();
        using var reader = SafetensorsReader.Open(Path.Combine(folder, OptimizerFile));
        var tensors = reader.Entries.ToDictionary(entry => entry.Name, entry => reader.Read(entry.Name), StringComparer.Ordinal);
        optimizer.Restore(tensors, tensors[StepTensor].item<long>());
    }

    private static object DataState(StageRun run, JobProgress progress)
    {
        var stage = progress.Stages[run.Index];
        return new
        {
            stage = stage.StageId,
            stage_step = stage.CompletedSteps,
            epoch = run.Batches.EpochAt(stage.CompletedSteps),
            dataset = run.Spec.Dataset,
            rows = run.Data.Rows.Count,
            trained_tokens = stage.TrainedTokens,
        };
    }

    private static void WriteJson(string folder, string file, object content) =>
        AtomicFile.Write(Path.Combine(folder, file), [.. JsonSerializer.SerializeToUtf8Bytes(content, Json), (byte)'\n']);
}
