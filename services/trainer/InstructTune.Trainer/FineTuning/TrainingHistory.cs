using System.Text.Json;
using System.Text.Json.Serialization;
using InstructTune.Modeling.Training;
using InstructTune.Storage;

namespace InstructTune.Trainer.FineTuning;

/// <summary>One optimizer step, under the names of Hugging Face's <c>log_history</c>.</summary>
internal sealed record HistoryRow(
    [property: JsonPropertyName("epoch")] double Epoch,
    [property: JsonPropertyName("grad_norm")] double GradientNorm,
    [property: JsonPropertyName("learning_rate")] double LearningRate,
    [property: JsonPropertyName("loss")] double Loss,
    [property: JsonPropertyName("num_input_tokens_seen")] long SeenTokens,
    [property: JsonPropertyName("step")] long Step);

/// <summary>
/// Every step of a job so far, across attempts; a checkpoint carries it as <c>trainer_state.json</c>, which viewers of Hugging Face's checkpoints read.
/// </summary>
internal sealed class TrainingHistory
{
    private const string FileName = "trainer_state.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private readonly List<HistoryRow> _rows = [];

    private long SeenTokens => _rows.Count == 0 ? 0 : _rows[^1].SeenTokens;

    /// <summary>Empty, or as a checkpoint has it.</summary>
    public static TrainingHistory From(string? checkpointFolder)
    {
        var history = new TrainingHistory();
        if (checkpointFolder is not null)
        {
            using var state = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(checkpointFolder, FileName)));
            history._rows.AddRange(state.RootElement.GetProperty("log_history").Deserialize<HistoryRow[]>(Json)!);
        }

        return history;
    }

    /// <summary>Returns the tokens of all steps so far.</summary>
    public long Add(StageRun run, JobProgress progress, double rate, StepResult result)
    {
        var seenTokens = SeenTokens + result.TokenCount;
        _rows.Add(new HistoryRow(
            run.Batches.EpochAt(progress.Stages[run.Index].CompletedSteps), result.GradientNorm, rate, result.Loss, seenTokens, progress.CompletedSteps));
        return seenTokens;
    }

    /// <summary>Writes the fields of Hugging Face's trainer, in its order.</summary>
    public void Write(string folder, StageRun run, JobProgress progress, FineTuneSpec spec, long parameterCount)
    {
        var state = new SortedDictionary<string, object?>(StringComparer.Ordinal)
        {
            ["best_global_step"] = progress.Stages[run.Index] is { BestValue: not null } best ? best.BestStep : null,
            ["best_metric"] = progress.Stages[run.Index].BestValue,
            ["best_model_checkpoint"] = null,
            ["epoch"] = _rows[^1].Epoch,
            ["eval_steps"] = null,
            ["global_step"] = progress.CompletedSteps,
            ["is_hyper_param_search"] = false,
            ["is_local_process_zero"] = true,
            ["is_world_process_zero"] = true,
            ["log_history"] = _rows,
            ["logging_steps"] = 1,
            ["max_steps"] = progress.PlannedSteps,
            ["num_input_tokens_seen"] = SeenTokens,
            ["num_train_epochs"] = (int)Math.Ceiling(run.Spec.Epochs),
            ["save_steps"] = spec.CheckpointEverySteps,
            ["stateful_callbacks"] = new Dictionary<string, object>(StringComparer.Ordinal),

            // As Hugging Face counts them: six for each weight and token.
            ["total_flos"] = 6.0 * parameterCount * SeenTokens,
            ["train_batch_size"] = run.Spec.MicroBatchSize,
            ["trial_name"] = null,
            ["trial_params"] = null,
        };
        AtomicFile.Write(Path.Combine(folder, FileName), [.. JsonSerializer.SerializeToUtf8Bytes(state, Json), (byte)'\n']);
    }
}
