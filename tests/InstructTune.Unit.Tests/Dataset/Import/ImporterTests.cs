using InstructTune.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Import;

public sealed class ImporterTests : IDisposable
{
    private const string Good = "{\"instruction\":\"a\",\"output\":\"b\",\"task\":\"t\"}\n";
    private const string Bad = "{\"instruction\":\"a\"}\n";
    private static readonly SourceOptions Options = new() { Format = SourceFormat.JsonLines };
    private readonly SourceFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void As_many_bad_records_as_allowed_are_skipped_and_reported()
    {
        var (examples, report) = SourceFolder.Import(
            Options with { MaxRejected = 2 }, _folder.Write("a.jsonl", Bad + Good), _folder.Write("b.jsonl", Good + Bad));

        Assert.Equal(2, examples.Count);
        Assert.Equal((2, 2), (report.AcceptedCount, report.RejectedCount));
        Assert.Equal([("a.jsonl", 1L), ("b.jsonl", 2L)], report.Rejections.Select(r => (r.FileName, r.Position)));
    }

    [Fact]
    public void One_bad_record_more_fails_the_import_with_the_first_of_them()
    {
        var refused = SourceFolder.Refused(Options with { MaxRejected = 1 }, _folder.Write("a.jsonl", Good + Bad + Bad));

        Assert.Equal(("a.jsonl", 2), (refused.FileName, refused.Position));
        Assert.Contains("more than 1", refused.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_first_examples_of_each_task_are_kept_when_asked()
    {
        var other = Good.Replace("\"t\"", "\"u\"", StringComparison.Ordinal);

        var (examples, _) = SourceFolder.Import(
            Options with { MaxExamplesPerTask = 2 }, _folder.Write("a.jsonl", Good + Good + Good + other));

        Assert.Equal(["t", "t", "u"], examples.Select(e => e.Task));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n \n")]
    [InlineData("[]")]
    public void A_source_without_a_record_is_refused(string text) =>
        SourceFolder.Refused(new SourceOptions { Format = SourceFormat.AlpacaJson }, _folder.Write("a.json", text));
}
