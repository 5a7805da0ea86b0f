using InstructTune.Testing;
using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

public sealed class LogFolderTests : IDisposable
{
    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal) { ["args/text_summary"] = "{}" };

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Files_written_row_by_row_are_those_written_at_once()
    {
        var rows = Rows(5);
        var (slow, fast) = (Folder("slow"), Folder("fast"));
        for (var count = 1; count <= rows.Count; count++)
        {
            slow.Write([.. rows.Take(count)], 1, Texts);
        }

        fast.Write(rows, rows.Count, Texts);

        Assert.Equal(Contents("fast"), Contents("slow"));
        Assert.Equal(3, Contents("fast").Count);
    }

    [Fact]
    public void An_attempt_that_goes_back_has_each_step_once()
    {
        var first = Folder("attempt-1");
        first.Write(Rows(6), 6, Texts);

        // It resumes from a checkpoint of step 3.
        var second = Folder("attempt-2");
        var rows = Rows(3).ToList();
        foreach (var row in Rows(6).Skip(3))
        {
            rows.Add(row);
            second.Write(rows, 1, Texts);
        }

        var events = Directory.GetFiles(_folder["attempt-2"], "events.out.tfevents.*").Single();
        var losses = EventFileReader.Scalars(File.ReadAllBytes(events)).Where(scalar => scalar.Tag == "train/loss").ToList();
        Assert.Equal([1, 2, 3, 4, 5, 6], losses.Select(scalar => scalar.Step));
        Assert.Equal(6, File.ReadAllLines(_folder["attempt-2/trainer_log.jsonl"]).Length);
    }

    [Fact]
    public void What_could_not_be_written_is_written_with_the_next_row()
    {
        var log = Folder("blocked");
        File.Create(_folder["blocked"]).Dispose();
        log.Write(Rows(1), 1, Texts);
        File.Delete(_folder["blocked"]);
        log.Write(Rows(2), 1, Texts);
        Assert.Equal(2, File.ReadAllLines(_folder["blocked/trainer_log.jsonl"]).Length);
    }

    public void Dispose() => _folder.Dispose();

    private LogFolder Folder(string name) => new(_folder[name], "job", 1);

    private static List<LoggedRow> Rows(int count) =>
        [.. Enumerable.Range(1, count).Select(step => StepRowsTests.Rows(0)[0] with { Step = step, UnixSeconds = 1000 + step })];

    private List<(string Name, string Content)> Contents(string name) =>
        [.. Directory.GetFiles(_folder[name]).Order(StringComparer.Ordinal).Select(path => (Path.GetFileName(path), Convert.ToHexString(File.ReadAllBytes(path))))];
}
