using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

public sealed class TrainerLogTests
{
    [Fact]
    public void Every_line_that_LLaMA_Factory_wrote_comes_out_byte_for_byte()
    {
        var lines = ReferenceRun.Files("trainer_log.jsonl").SelectMany(File.ReadAllLines).ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            using var json = System.Text.Json.JsonDocument.Parse(line);
            var theirs = json.RootElement;
            var tokens = theirs.GetProperty("total_tokens").GetDouble();
            var values = new List<KeyValuePair<string, double>> { new(LoggedRow.SeenTokens, tokens) };
            foreach (var (key, name) in new[] { ("loss", "loss"), ("eval_loss", "eval_loss"), ("lr", "learning_rate"), ("epoch", "epoch") })
            {
                if (theirs.TryGetProperty(key, out var value))
                {
                    values.Add(new(name, value.GetDouble()));
                }
            }

            // Their speed is rounded, and gives the time back nearly enough.
            var row = new LoggedRow(
                theirs.GetProperty("current_steps").GetInt64(), theirs.GetProperty("total_steps").GetInt64(), "only", 0,
                tokens / theirs.GetProperty("throughput").GetDouble(), values);
            Assert.Equal(line, TrainerLog.Line(row));
        });
    }

    [Theory]
    [InlineData(4.9, "0:00:04")]
    [InlineData(3725, "1:02:05")]
    [InlineData(86_405, "1 day, 0:00:05")]
    [InlineData(200_000, "2 days, 7:33:20")]
    public void Times_are_spelled_as_by_timedelta(double seconds, string expected) =>
        Assert.Contains($"\"elapsed_time\": \"{expected}\"", TrainerLog.Line(new LoggedRow(1, 1, "only", 0, seconds, [])), StringComparison.Ordinal);
}
