using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

public sealed class StepRowsTests
{
    [Fact]
    public void A_step_without_validation_is_one_row() => Assert.Equal(
        [("loss", 2.5), ("grad_norm", 0.5), ("learning_rate", 1e-3), ("epoch", 0.25), ("num_input_tokens_seen", 90), ("train_runtime", 3), ("train_tokens_per_second", 30)],
        Rows(validationSets: 0).Single().Values.Select(value => (value.Key, value.Value)));

    [Fact]
    public void Metrics_of_answers_stand_beside_the_loss_of_their_set()
    {
        var rows = Rows(validationSets: 2, ("rouge_l", 0.25), ("rouge_l_2", 0.75));

        Assert.Equal((0.25, 1.5), (rows[1].Find("eval_general_rouge_l"), rows[1].Find("eval_general_loss")));
        Assert.Equal((0.75, 2.5), (rows[2].Find("eval_special_rouge_l"), rows[2].Find("eval_special_loss")));
    }

    [Fact]
    public void Rows_read_back_from_their_file_as_they_were()
    {
        var rows = Rows(validationSets: 1, ("exact_match", double.NaN));
        var read = RowFile.Parse(rows.Select(RowFile.Line)).ToList();
        Assert.Equal(rows.Select(TrainerLog.Line), read.Select(TrainerLog.Line));
        Assert.Equal(rows.SelectMany(row => row.Values), read.SelectMany(row => row.Values));
    }

    internal static IReadOnlyList<LoggedRow> Rows(int validationSets, params (string Name, double Value)[] more)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal)
        {
            ["training_loss"] = 2.5, ["epoch"] = 0.25, ["learning_rate"] = 1e-3, ["gradient_norm"] = 0.5, ["tokens_per_second"] = 7,
            ["seen_tokens"] = 90, ["trained_tokens"] = 60,
        };
        for (var set = 1; set <= validationSets; set++)
        {
            values[set == 1 ? "validation_loss" : $"validation_loss_{set}"] = set + 0.5;
        }

        foreach (var (name, value) in more)
        {
            values[name] = value;
        }

        return StepRows.Of(new StepReport
        {
            Step = 2, PlannedSteps = 8, StageId = "only", UnixSeconds = 1000, ElapsedSeconds = 3, Values = values,
            ValidationSets = [.. new[] { "general", "special" }.Take(validationSets)], ValidationSeconds = 2, ValidationExamples = 10, ValidationBatches = 4,
        });
    }
}
