using System.Text;

namespace InstructTune.Trainer.Reports;

/// <summary>What <c>trainer_state.json</c> says beside its history.</summary>
internal sealed record TrainerStateFacts
{
    public required long GlobalStep { get; init; }

    public required long MaxSteps { get; init; }

    public required double Epoch { get; init; }

    public required int TrainEpochs { get; init; }

    public required int BatchSize { get; init; }

    public required long SaveSteps { get; init; }

    public required double Flops { get; init; }

    /// <summary>Null where validation follows no fixed number of steps.</summary>
    public long? EvaluationSteps { get; init; }

    public long LoggingSteps { get; init; } = 1;

    public double? BestMetric { get; init; }

    public long? BestStep { get; init; }

    public string? BestCheckpoint { get; init; }

    /// <summary>Of Hugging Face's trainer only; passed through.</summary>
    public object? Callbacks { get; init; }
}

/// <summary>The state file of Hugging Face's trainer, byte for byte in its form.</summary>
internal static class TrainerState
{
    public const string FileName = "trainer_state.json";

    public static byte[] Render(TrainerStateFacts facts, IReadOnlyList<LoggedRow> rows)
    {
        var state = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["best_global_step"] = facts.BestStep,
            ["best_metric"] = facts.BestMetric,
            ["best_model_checkpoint"] = facts.BestCheckpoint,
            ["epoch"] = facts.Epoch,
            ["eval_steps"] = facts.EvaluationSteps,
            ["global_step"] = facts.GlobalStep,
            ["is_hyper_param_search"] = false,
            ["is_local_process_zero"] = true,
            ["is_world_process_zero"] = true,
            ["log_history"] = rows.Select(Entry).ToList(),
            ["logging_steps"] = facts.LoggingSteps,
            ["max_steps"] = facts.MaxSteps,
            ["num_input_tokens_seen"] = rows.Count == 0 ? 0L : (long)(rows[^1].Find(LoggedRow.SeenTokens) ?? 0),
            ["num_train_epochs"] = facts.TrainEpochs,
            ["save_steps"] = facts.SaveSteps,
            ["stateful_callbacks"] = facts.Callbacks ?? new Dictionary<string, object?>(StringComparer.Ordinal),
            ["total_flos"] = facts.Flops,
            ["train_batch_size"] = facts.BatchSize,
            ["trial_name"] = null,
            ["trial_params"] = null,
        };
        return Encoding.UTF8.GetBytes(PythonJson.Sorted(state, 2) + "\n");
    }

    private static Dictionary<string, object?> Entry(LoggedRow row)
    {
        var entry = row.Values.ToDictionary(value => value.Key, value => (object?)LoggedRow.Typed(value.Key, value.Value), StringComparer.Ordinal);
        entry["step"] = row.Step;
        return entry;
    }
}
