using System.Globalization;

namespace InstructTune.Trainer.Reports;

/// <summary>A line of LLaMA-Factory's <c>trainer_log.jsonl</c>; values that are not known are left out.</summary>
internal static class TrainerLog
{
    public const string FileName = "trainer_log.jsonl";

    public static string Line(LoggedRow row)
    {
        var fields = new List<KeyValuePair<string, object?>>
        {
            new("current_steps", row.Step),
            new("total_steps", row.PlannedSteps),
        };
        AddKnown(fields, row, "loss", "loss");
        AddKnown(fields, row, "eval_loss", "eval_loss");
        AddKnown(fields, row, "learning_rate", "lr");
        AddKnown(fields, row, "epoch", "epoch");
        fields.Add(new("percentage", Math.Round(100.0 * row.Step / Math.Max(1, row.PlannedSteps), 2)));
        fields.Add(new("elapsed_time", Clock(row.ElapsedSeconds)));
        fields.Add(new("remaining_time", Clock(row.ElapsedSeconds / Math.Max(1, row.Step) * (row.PlannedSteps - row.Step))));
        if (row.Find(LoggedRow.SeenTokens) is { } tokens)
        {
            if (row.ElapsedSeconds > 0)
            {
                fields.Add(new("throughput", Math.Round(tokens / row.ElapsedSeconds, 2)));
            }

            fields.Add(new("total_tokens", (long)tokens));
        }

        return PythonJson.Line(fields);
    }

    private static void AddKnown(List<KeyValuePair<string, object?>> fields, LoggedRow row, string name, string key)
    {
        if (row.Find(name) is { } value)
        {
            fields.Add(new(key, value));
        }
    }

    // As Python's str(timedelta(seconds=int(x))).
    private static string Clock(double time)
    {
        var seconds = (long)Math.Max(0, time);
        var days = seconds / 86_400;
        var clock = string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600 % 24}:{seconds / 60 % 60:00}:{seconds % 60:00}");
        return days == 0 ? clock : string.Create(CultureInfo.InvariantCulture, $"{days} day{(days == 1 ? "" : "s")}, {clock}");
    }
}
