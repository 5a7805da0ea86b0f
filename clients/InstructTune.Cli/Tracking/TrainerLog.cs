using System.Globalization;
using System.Text;

namespace InstructTune.Cli.Tracking;

/// <summary>
/// The steps of a job as LLaMA-Factory's <c>trainer_log.jsonl</c>: one object a line with Python's spacing and spelling of numbers; values that
/// are not known are left out.
/// </summary>
internal static class TrainerLog
{
    public static string Render(IReadOnlyList<TrainingRow> rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            text.Append('{').AppendJoin(", ", Fields(row, row.Time - rows[0].Time)).Append("}\n");
        }

        return text.ToString();
    }

    private static IEnumerable<string> Fields(TrainingRow row, TimeSpan elapsed)
    {
        yield return Field("current_steps", Whole(row.Step));
        yield return Field("total_steps", Whole(row.PlannedSteps));
        foreach (var (value, name) in new[] { ("training_loss", "loss"), ("learning_rate", "lr"), ("epoch", "epoch") })
        {
            if (row.Values.TryGetValue(value, out var number))
            {
                yield return Field(name, PythonNumber.Format(number));
            }
        }

        yield return Field("percentage", PythonNumber.Format(Math.Round(100.0 * row.Step / Math.Max(1, row.PlannedSteps), 2)));
        yield return Field("elapsed_time", Quoted(elapsed));
        yield return Field("remaining_time", Quoted(elapsed / Math.Max(1, row.Step) * (row.PlannedSteps - row.Step)));
        if (row.Values.TryGetValue("seen_tokens", out var tokens))
        {
            if (elapsed > TimeSpan.Zero)
            {
                yield return Field("throughput", PythonNumber.Format(Math.Round(tokens / elapsed.TotalSeconds, 2)));
            }

            yield return Field("total_tokens", Whole((long)tokens));
        }
    }

    private static string Field(string name, string value) => $"\"{name}\": {value}";

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    // As Python's str(timedelta(seconds=int(x))).
    private static string Quoted(TimeSpan time)
    {
        var seconds = (long)Math.Max(0, time.TotalSeconds);
        var days = seconds / 86_400;
        var clock = string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600 % 24}:{seconds / 60 % 60:00}:{seconds % 60:00}");
        return days == 0 ? $"\"{clock}\"" : string.Create(CultureInfo.InvariantCulture, $"\"{days} day{(days == 1 ? "" : "s")}, {clock}\"");
    }
}
