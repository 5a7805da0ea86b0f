using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Dataset;

public sealed class VersionTests(DatasetFixture fixture) : IClassFixture<DatasetFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const string Unknown = "datasets/unknown/versions/0123456789abcdef";

    [Fact]
    [Covers("DatasetService/StreamExamples", "OK")]
    public async Task Examples_stream_from_any_index_across_shards()
    {
        var version = await fixture.UploadAsync(await fixture.NewDatasetAsync(), null, ("a.jsonl", DatasetFixture.Rows(10_050)));

        var part = await fixture.StreamAsync(version.Name, 9_990, 20);

        Assert.Equal(Enumerable.Range(9_990, 20).Select(i => ((long)i, $"question {i}")), part.Select(r => (r.Index, r.Example.Instruction.Instruction_)));
        Assert.Equal(10_050 - 10_040, (await fixture.StreamAsync(version.Name, 10_040)).Count);
        Assert.Empty(await fixture.StreamAsync(version.Name, 10_050));
    }

    [Fact]
    public async Task Conversations_and_texts_stream_as_such()
    {
        var dataset = await fixture.NewDatasetAsync();
        var chat = await fixture.UploadAsync(dataset, null, ("a.jsonl", """{"instruction":"b","output":"c","history":[["x","y"]]}"""));
        var text = await fixture.UploadAsync(dataset, null, ("a.txt", "one\n\ntwo\n"));

        Assert.Equal(["x", "y", "b", "c"], Assert.Single(await fixture.StreamAsync(chat.Name)).Example.Conversation.Turns.Select(t => t.Text));
        Assert.Equal(["one", "two"], (await fixture.StreamAsync(text.Name)).Select(r => r.Example.Text));
    }

    [Theory]
    [InlineData(-1, 0, "start_index")]
    [InlineData(4, 0, "start_index")]
    [InlineData(0, -1, "example_count")]
    [Covers("DatasetService/StreamExamples", "FIELD_INVALID")]
    public async Task A_range_outside_the_version_is_refused(long startIndex, long count, string field)
    {
        var version = await fixture.UploadAsync(await fixture.NewDatasetAsync(), null, ("a.jsonl", DatasetFixture.Rows(3)));

        var failure = await DatasetFixture.FailureAsync(() => fixture.StreamAsync(version.Name, startIndex, count));

        Assert.Equal((ErrorReason.FieldInvalid, field), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    [Covers("DatasetService/StreamExamples", "ARTIFACT_CORRUPT")]
    public async Task A_changed_file_is_reported_and_nothing_of_it_is_sent()
    {
        var version = await fixture.UploadAsync(await fixture.NewDatasetAsync(), null, ("a.jsonl", DatasetFixture.Rows(2, "corrupt-me")));
        var shard = Directory.EnumerateFiles(fixture.Root, "examples-*.jsonl", SearchOption.AllDirectories)
            .Single(f => File.ReadAllText(f).Contains("corrupt-me", StringComparison.Ordinal));
        await File.AppendAllTextAsync(shard, "{}\n", TestContext.Current.CancellationToken);

        var failure = await DatasetFixture.FailureAsync(() => fixture.StreamAsync(version.Name));

        Assert.Equal(ErrorReason.ArtifactCorrupt, failure.Reason);
    }

    [Fact]
    [Covers("DatasetService/StreamExamples", "RESOURCE_NOT_FOUND")]
    [Covers("DatasetService/GetDatasetVersion", "RESOURCE_NOT_FOUND")]
    [Covers("DatasetService/ListDatasetVersions", "RESOURCE_NOT_FOUND")]
    [Covers("DatasetService/SplitDatasetVersion", "RESOURCE_NOT_FOUND")]
    public async Task What_does_not_exist_is_not_found()
    {
        var split = new SplitDatasetVersionRequest { Name = Unknown, Fractions = { ["all"] = 1 } };
        var failures = new[]
        {
            await DatasetFixture.FailureAsync(() => fixture.StreamAsync(Unknown)),
            await DatasetFixture.FailureAsync(fixture.Client.GetDatasetVersionAsync(new GetDatasetVersionRequest { Name = Unknown }, cancellationToken: Token)),
            await DatasetFixture.FailureAsync(fixture.Client.ListDatasetVersionsAsync(new ListDatasetVersionsRequest { Parent = "datasets/unknown" }, cancellationToken: Token)),
            await DatasetFixture.FailureAsync(fixture.Client.SplitDatasetVersionAsync(split, cancellationToken: Token)),
            await DatasetFixture.FailureAsync(() => fixture.StreamAsync("datasets/unknown/versions/latest")),
        };

        Assert.All(failures, f => Assert.Equal(ErrorReason.ResourceNotFound, f.Reason));
    }

    [Fact]
    [Covers("DatasetService/GetDatasetVersion", "FIELD_INVALID")]
    [Covers("DatasetService/ListDatasetVersions", "FIELD_INVALID")]
    public async Task Names_of_another_shape_are_refused()
    {
        var failures = new[]
        {
            await DatasetFixture.FailureAsync(fixture.Client.GetDatasetVersionAsync(new GetDatasetVersionRequest { Name = "datasets/a" }, cancellationToken: Token)),
            await DatasetFixture.FailureAsync(fixture.Client.ListDatasetVersionsAsync(new ListDatasetVersionsRequest { Parent = Unknown }, cancellationToken: Token)),
        };

        Assert.All(failures, f => Assert.Equal(ErrorReason.FieldInvalid, f.Reason));
    }

    [Fact]
    [Covers("DatasetService/ListDatasetVersions", "OK")]
    [Covers("DatasetService/ListDatasetVersions", "PAGE_TOKEN_MISMATCH")]
    public async Task Versions_are_listed_newest_first_and_a_token_serves_its_own_dataset_only()
    {
        var dataset = await fixture.NewDatasetAsync();
        var names = new List<string>();
        for (var count = 1; count <= 3; count++)
        {
            names.Add((await fixture.UploadAsync(dataset, null, ("a.jsonl", DatasetFixture.Rows(count)))).Name);
        }

        var first = await fixture.Client.ListDatasetVersionsAsync(new ListDatasetVersionsRequest { Parent = dataset, PageSize = 2 }, cancellationToken: Token);
        var rest = await fixture.Client.ListDatasetVersionsAsync(
            new ListDatasetVersionsRequest { Parent = dataset, PageSize = 2, PageToken = first.NextPageToken }, cancellationToken: Token);

        Assert.Equal(Enumerable.Reverse(names), first.DatasetVersions.Concat(rest.DatasetVersions).Select(v => v.Name));
        Assert.Equal("", rest.NextPageToken);
        var other = new ListDatasetVersionsRequest { Parent = await fixture.NewDatasetAsync(), PageToken = first.NextPageToken };
        Assert.Equal(
            ErrorReason.PageTokenMismatch, (await DatasetFixture.FailureAsync(fixture.Client.ListDatasetVersionsAsync(other, cancellationToken: Token))).Reason);
    }
}
