using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Dataset;

public sealed class UploadTests(DatasetFixture fixture) : IClassFixture<DatasetFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("DatasetService/UploadDataset", "OK")]
    [Covers("DatasetService/GetDatasetVersion", "OK")]
    public async Task Several_files_become_one_version_in_the_order_sent()
    {
        var dataset = await fixture.NewDatasetAsync();

        var version = await fixture.UploadAsync(
            dataset, null, ("a.jsonl", DatasetFixture.Rows(3, "one")), ("b.jsonl", DatasetFixture.Rows(2, "two")));

        Assert.Equal($"{dataset}/versions/{version.ContentSha256[..16]}", version.Name);
        Assert.Equal((5, SourceFormat.JsonLines), (version.ExampleCount, version.ImportReport.Format));
        Assert.Equal((3, 2), (version.ExampleCountByTask["one"], version.ExampleCountByTask["two"]));
        Assert.Equal(version, await fixture.Client.GetDatasetVersionAsync(new GetDatasetVersionRequest { Name = version.Name }, cancellationToken: Token));
        Assert.Equal(version, await fixture.Client.GetDatasetVersionAsync(new GetDatasetVersionRequest { Name = $"{dataset}/versions/latest" }, cancellationToken: Token));
        Assert.Equal(["one", "one", "one", "two", "two"], (await fixture.StreamAsync(version.Name)).Select(r => r.Example.Task));
    }

    [Fact]
    public async Task Equal_examples_give_the_same_version_whatever_their_form()
    {
        var dataset = await fixture.NewDatasetAsync();
        var lines = await fixture.UploadAsync(dataset, null, ("a.jsonl", """{"instruction":"a","output":"\u0062"}"""));

        var array = await fixture.UploadAsync(dataset, null, ("b.json", """[ {"output":"b", "instruction":"a", "input":""} ]"""));

        Assert.Equal(lines.Name, array.Name);
        Assert.Single((await fixture.Client.ListDatasetVersionsAsync(new ListDatasetVersionsRequest { Parent = dataset }, cancellationToken: Token)).DatasetVersions);
    }

    [Fact]
    public async Task Skipped_records_are_in_the_report_with_their_places()
    {
        var dataset = await fixture.NewDatasetAsync();

        var version = await fixture.UploadAsync(
            dataset, new SourceOptions { MaxRejected = 1 }, ("a.jsonl", DatasetFixture.Rows(1) + "{broken\n" + DatasetFixture.Rows(1)));

        var rejection = Assert.Single(version.ImportReport.Rejections);
        Assert.Equal(("a.jsonl", 2, "INVALID_RECORD"), (rejection.FileName, rejection.Position, rejection.Reason));
        Assert.Equal((2, 1), (version.ImportReport.AcceptedCount, version.ImportReport.RejectedCount));
    }

    [Fact]
    [Covers("DatasetService/UploadDataset", "DATA_INVALID")]
    public async Task A_bad_record_fails_the_upload_with_file_line_and_problem_and_leaves_nothing()
    {
        var dataset = await fixture.NewDatasetAsync();
        var before = Files();

        var failure = await DatasetFixture.FailureAsync(
            () => fixture.UploadAsync(dataset, null, ("good.jsonl", DatasetFixture.Rows(3)), ("bad.jsonl", DatasetFixture.Rows(1) + "{\"instruction\":\"a\"}\n")));

        Assert.Equal(ErrorReason.DataInvalid, failure.Reason);
        Assert.Equal(("bad.jsonl", "2"), (failure.Metadata["file"], failure.Metadata["position"]));
        Assert.Contains("output is missing", failure.Metadata["problem"], StringComparison.Ordinal);
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task A_stream_that_breaks_leaves_nothing()
    {
        var dataset = await fixture.NewDatasetAsync();
        var before = Files();
        using (var call = fixture.Client.UploadDataset(cancellationToken: TestContext.Current.CancellationToken))
        {
            await call.RequestStream.WriteAsync(DatasetFixture.Header(dataset), Token);
            await call.RequestStream.WriteAsync(DatasetFixture.Chunk("a.jsonl", "{\"instruction\":\"a\""u8.ToArray()), Token);
            await Eventually.HoldsAsync(() => Files().Count > before.Count, "the server writes the chunk");
        }

        await Eventually.HoldsAsync(() => Files().SequenceEqual(before), "the server removes what it wrote");
        Assert.Empty((await fixture.Client.ListDatasetVersionsAsync(new ListDatasetVersionsRequest { Parent = dataset }, cancellationToken: Token)).DatasetVersions);
    }

    [Fact]
    [Covers("DatasetService/UploadDataset", "RESOURCE_NOT_FOUND")]
    public async Task An_upload_into_an_unknown_dataset_is_not_found() => Assert.Equal(
        ErrorReason.ResourceNotFound,
        (await DatasetFixture.FailureAsync(() => fixture.UploadAsync("datasets/unknown", null, ("a.jsonl", DatasetFixture.Rows(1))))).Reason);

    [Theory]
    [InlineData("../a.jsonl", "chunk.file_name")]
    [InlineData("", "chunk.file_name")]
    [Covers("DatasetService/UploadDataset", "FIELD_INVALID")]
    public async Task A_file_name_that_is_a_path_is_refused(string fileName, string field)
    {
        var dataset = await fixture.NewDatasetAsync();

        var failure = await DatasetFixture.FailureAsync(() => fixture.UploadAsync(dataset, null, (fileName, DatasetFixture.Rows(1))));

        Assert.Equal((ErrorReason.FieldInvalid, field), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    public async Task Columns_of_another_format_and_a_negative_limit_are_named_together()
    {
        var dataset = await fixture.NewDatasetAsync();
        var options = new SourceOptions { Format = SourceFormat.AlpacaJson, Columns = { ["prompt"] = "x" }, MaxRejected = -1 };

        var failure = await DatasetFixture.FailureAsync(() => fixture.UploadAsync(dataset, options, ("a.jsonl", DatasetFixture.Rows(1))));

        Assert.Equal(
            ["header.options.columns", "header.options.columns", "header.options.max_rejected"], failure.Violations.Select(v => v.Field));
    }

    private List<string> Files() => [.. Directory.EnumerateFiles(fixture.Root, "*", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/documents/datasets/set-", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
