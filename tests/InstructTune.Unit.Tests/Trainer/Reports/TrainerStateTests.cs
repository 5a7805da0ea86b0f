using System.Text;
using System.Text.Json;
using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

public sealed class TrainerStateTests
{
    [Fact]
    public void The_state_of_every_reference_run_comes_out_byte_for_byte()
    {
        var files = ReferenceRun.Files("trainer_state.json");
        Assert.NotEmpty(files);
        Assert.All(files, path =>
        {
            var state = ReferenceRun.Read(path);
            Assert.Equal(File.ReadAllText(path), Encoding.UTF8.GetString(TrainerState.Render(Facts(state), ReferenceRun.Rows(state))));
        });
    }

    [Fact]
    public void Our_rows_have_the_keys_of_Hugging_Faces()
    {
        var state = ReferenceRun.Read(ReferenceRun.Files("trainer_state.json").First(path => path.EndsWith("hf_trainer/trainer_state.json", StringComparison.Ordinal)));
        var theirs = ReferenceRun.Rows(state);
        var ours = StepRowsTests.Rows(validationSets: 1);

        Assert.Equal(Keys(theirs.First(row => row.Loss is not null)), Keys(ours[0]));
        Assert.Equal(Keys(theirs.First(row => row.Find("eval_loss") is not null)), Keys(ours[1]));
        Assert.Equal(Keys(theirs.First(row => row.Find("train_loss") is not null)), Keys(StepRows.End(ours[0], 5, 1.5, 32, 1e6)));
    }

    [Fact]
    public void With_several_validation_sets_our_rows_have_the_keys_of_Hugging_Faces()
    {
        var state = ReferenceRun.Read(ReferenceRun.Files("trainer_state.json").First(path => path.Contains("two_eval_sets", StringComparison.Ordinal)));
        var theirs = ReferenceRun.Rows(state).Where(row => row.Values.Any(value => value.Key.StartsWith("eval_", StringComparison.Ordinal))).Take(2).Select(Keys);

        Assert.Equal(theirs, StepRowsTests.Rows(validationSets: 2).Skip(1).Select(Keys));
    }

    private static IEnumerable<string> Keys(LoggedRow row) => row.Values.Select(value => value.Key).Order(StringComparer.Ordinal);

    private static TrainerStateFacts Facts(JsonElement state) => new()
    {
        GlobalStep = state.GetProperty("global_step").GetInt64(),
        MaxSteps = state.GetProperty("max_steps").GetInt64(),
        Epoch = state.GetProperty("epoch").GetDouble(),
        TrainEpochs = state.GetProperty("num_train_epochs").GetInt32(),
        BatchSize = state.GetProperty("train_batch_size").GetInt32(),
        SaveSteps = state.GetProperty("save_steps").GetInt64(),
        LoggingSteps = state.GetProperty("logging_steps").GetInt64(),
        EvaluationSteps = state.GetProperty("eval_steps") is { ValueKind: JsonValueKind.Number } steps ? steps.GetInt64() : null,
        Flops = state.GetProperty("total_flos").GetDouble(),
        BestMetric = state.GetProperty("best_metric") is { ValueKind: JsonValueKind.Number } best ? best.GetDouble() : null,
        BestStep = state.GetProperty("best_global_step") is { ValueKind: JsonValueKind.Number } step ? step.GetInt64() : null,
        BestCheckpoint = state.GetProperty("best_model_checkpoint").GetString(),
        Callbacks = Value(state.GetProperty("stateful_callbacks")),
    };

    private static object? Value(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().ToDictionary(field => field.Name, field => Value(field.Value), StringComparer.Ordinal),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.GetDouble(),
        _ => null,
    };
}
