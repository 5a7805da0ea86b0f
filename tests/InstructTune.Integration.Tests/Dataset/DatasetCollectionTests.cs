using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Dataset;

public sealed class DatasetCollectionTests(DatasetFixture fixture) : IClassFixture<DatasetFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("DatasetService/CreateDataset", "OK")]
    [Covers("DatasetService/GetDataset", "OK")]
    public async Task A_dataset_comes_back_as_it_was_created()
    {
        var request = new CreateDatasetRequest
        {
            DatasetId = "news",
            Dataset = new V1.Dataset { DisplayName = "The news", Labels = { ["source"] = "here" } },
        };

        var created = await fixture.Client.CreateDatasetAsync(request, cancellationToken: Token);

        Assert.Equal(("datasets/news", "The news", "here"), (created.Name, created.DisplayName, created.Labels["source"]));
        Assert.Equal(created, await fixture.Client.GetDatasetAsync(new GetDatasetRequest { Name = "datasets/news" }, cancellationToken: Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ab")]
    [InlineData("Capital")]
    [InlineData("../escape")]
    [Covers("DatasetService/CreateDataset", "FIELD_INVALID")]
    public async Task An_id_that_breaks_the_rule_is_refused_by_name(string id)
    {
        var failure = await DatasetFixture.FailureAsync(fixture.Client.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = id }, cancellationToken: Token));

        Assert.Equal((ErrorReason.FieldInvalid, "dataset_id"), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    [Covers("DatasetService/CreateDataset", "RESOURCE_EXISTS")]
    public async Task An_id_that_is_taken_is_refused()
    {
        var id = (await fixture.NewDatasetAsync())["datasets/".Length..];

        var failure = await DatasetFixture.FailureAsync(fixture.Client.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = id }, cancellationToken: Token));

        Assert.Equal(ErrorReason.ResourceExists, failure.Reason);
    }

    [Fact]
    [Covers("DatasetService/GetDataset", "RESOURCE_NOT_FOUND")]
    public async Task An_unknown_dataset_is_not_found() => Assert.Equal(
        ErrorReason.ResourceNotFound,
        (await DatasetFixture.FailureAsync(fixture.Client.GetDatasetAsync(new GetDatasetRequest { Name = "datasets/unknown" }, cancellationToken: Token))).Reason);

    [Fact]
    [Covers("DatasetService/GetDataset", "FIELD_INVALID")]
    public async Task A_name_of_another_shape_is_refused() => Assert.Equal(
        ErrorReason.FieldInvalid,
        (await DatasetFixture.FailureAsync(fixture.Client.GetDatasetAsync(new GetDatasetRequest { Name = "models/unknown" }, cancellationToken: Token))).Reason);

    [Fact]
    [Covers("DatasetService/ListDatasets", "OK")]
    public async Task Pages_hold_every_dataset_once_and_the_newest_first()
    {
        var names = new List<string> { await fixture.NewDatasetAsync(), await fixture.NewDatasetAsync(), await fixture.NewDatasetAsync() };

        var listed = new List<string>();
        var token = "";
        do
        {
            var page = await fixture.Client.ListDatasetsAsync(new ListDatasetsRequest { PageSize = 2, PageToken = token }, cancellationToken: Token);
            Assert.InRange(page.Datasets.Count, 1, 2);
            listed.AddRange(page.Datasets.Select(d => d.Name));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(Enumerable.Reverse(names), listed.Where(names.Contains));
        Assert.Equal(listed.Distinct(), listed);
    }

    [Fact]
    [Covers("DatasetService/ListDatasets", "FIELD_INVALID")]
    public async Task A_negative_page_size_is_refused() => Assert.Equal(
        ErrorReason.FieldInvalid,
        (await DatasetFixture.FailureAsync(fixture.Client.ListDatasetsAsync(new ListDatasetsRequest { PageSize = -1 }, cancellationToken: Token))).Reason);

    [Fact]
    [Covers("DatasetService/ListDatasets", "PAGE_TOKEN_MISMATCH")]
    public async Task A_page_token_that_is_none_is_refused() => Assert.Equal(
        ErrorReason.PageTokenMismatch,
        (await DatasetFixture.FailureAsync(fixture.Client.ListDatasetsAsync(new ListDatasetsRequest { PageToken = "garbage" }, cancellationToken: Token))).Reason);
}
