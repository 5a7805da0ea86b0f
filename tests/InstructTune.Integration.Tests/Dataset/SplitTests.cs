using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Dataset;

public sealed class SplitTests(DatasetFixture fixture) : IClassFixture<DatasetFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("DatasetService/SplitDatasetVersion", "OK")]
    public async Task Parts_are_disjoint_exhaustive_and_the_same_every_time()
    {
        var version = await fixture.UploadAsync(await fixture.NewDatasetAsync(), null, ("a.jsonl", DatasetFixture.Rows(200)));
        var request = new SplitDatasetVersionRequest { Name = version.Name, Fractions = { ["train"] = 0.8, ["test"] = 0.2 }, Seed = 7 };

        var parts = (await fixture.Client.SplitDatasetVersionAsync(request, cancellationToken: Token)).Parts;

        var train = await TextsAsync(parts["train"].Name);
        var test = await TextsAsync(parts["test"].Name);
        Assert.Empty(train.Intersect(test));
        Assert.Equal(await TextsAsync(version.Name), train.Union(test).ToHashSet());
        Assert.Equal([version.Name], parts["test"].Parents);
        Assert.Equal(("split", "test", "0.2", "7"), (
            parts["test"].Derivation["operation"], parts["test"].Derivation["part"], parts["test"].Derivation["fraction"], parts["test"].Derivation["seed"]));
        Assert.Equal(parts, (await fixture.Client.SplitDatasetVersionAsync(request, cancellationToken: Token)).Parts);
    }

    [Fact]
    public async Task Stratified_parts_hold_every_task_in_its_proportion()
    {
        var version = await fixture.UploadAsync(
            await fixture.NewDatasetAsync(), null, ("a.jsonl", DatasetFixture.Rows(50, "one")), ("b.jsonl", DatasetFixture.Rows(10, "two").Replace("question", "other", StringComparison.Ordinal)));
        var request = new SplitDatasetVersionRequest
        {
            Name = version.Name, Fractions = { ["train"] = 0.9, ["test"] = 0.1 }, StratifyByTask = true,
        };

        var test = (await fixture.Client.SplitDatasetVersionAsync(request, cancellationToken: Token)).Parts["test"];

        Assert.Equal((5, 1), (test.ExampleCountByTask["one"], test.ExampleCountByTask["two"]));
    }

    [Theory]
    [InlineData(0.5, 0.4)]
    [InlineData(1.0, 0.0)]
    [InlineData(double.NaN, 1.0)]
    [Covers("DatasetService/SplitDatasetVersion", "FIELD_INVALID")]
    public async Task Fractions_that_do_not_sum_to_one_are_refused(double train, double test)
    {
        var version = await fixture.UploadAsync(await fixture.NewDatasetAsync(), null, ("a.jsonl", DatasetFixture.Rows(3)));
        var request = new SplitDatasetVersionRequest { Name = version.Name, Fractions = { ["train"] = train, ["test"] = test } };

        var failure = await DatasetFixture.FailureAsync(fixture.Client.SplitDatasetVersionAsync(request, cancellationToken: Token));

        Assert.Equal((ErrorReason.FieldInvalid, "fractions"), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    [Covers("DatasetService/SplitDatasetVersion", "DATA_INVALID")]
    public async Task A_part_without_an_example_is_refused_by_its_name()
    {
        var version = await fixture.UploadAsync(await fixture.NewDatasetAsync(), null, ("a.jsonl", DatasetFixture.Rows(1)));
        var request = new SplitDatasetVersionRequest { Name = version.Name, Fractions = { ["train"] = 0.5, ["test"] = 0.5 } };

        var failure = await DatasetFixture.FailureAsync(fixture.Client.SplitDatasetVersionAsync(request, cancellationToken: Token));

        Assert.Equal(ErrorReason.DataInvalid, failure.Reason);
        Assert.Contains(failure.Metadata["part"], new[] { "train", "test" });
    }

    private async Task<HashSet<string>> TextsAsync(string version) =>
        [.. (await fixture.StreamAsync(version)).Select(r => r.Example.Instruction.Instruction_)];
}
