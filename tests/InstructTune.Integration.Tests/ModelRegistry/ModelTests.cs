using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.ModelRegistry;

public sealed class ModelTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("ModelRegistryService/GetModel", "OK")]
    public async Task A_model_names_its_latest_version()
    {
        var parent = fixture.NewModel();
        await fixture.UploadAsync(parent);
        await fixture.UploadAsync(parent);
        var model = await fixture.Client.GetModelAsync(new() { Name = parent }, cancellationToken: Token);
        Assert.Equal((parent, $"{parent}/versions/2"), (model.Name, model.LatestVersion));
        Assert.NotNull(model.CreateTime);
    }

    [Fact]
    [Covers("ModelRegistryService/GetModel", "FIELD_INVALID")]
    [Covers("ModelRegistryService/GetModelVersion", "FIELD_INVALID")]
    [Covers("ModelRegistryService/ListModelVersions", "FIELD_INVALID")]
    [Covers("ModelRegistryService/GetModelCard", "FIELD_INVALID")]
    public async Task A_name_of_another_shape_is_refused()
    {
        await AssertFailsAsync(ErrorReason.FieldInvalid, "name", () => fixture.Client.GetModelAsync(new() { Name = "news" }).ResponseAsync);
        await AssertFailsAsync(ErrorReason.FieldInvalid, "name", () => fixture.Client.GetModelVersionAsync(new() { Name = "models/news" }).ResponseAsync);
        await AssertFailsAsync(ErrorReason.FieldInvalid, "name", () => fixture.Client.GetModelCardAsync(new() { Name = "models/news" }).ResponseAsync);
        await AssertFailsAsync(ErrorReason.FieldInvalid, "parent", () => fixture.Client.ListModelVersionsAsync(new() { Parent = "models/../x" }).ResponseAsync);
    }

    [Fact]
    [Covers("ModelRegistryService/GetModel", "RESOURCE_NOT_FOUND")]
    [Covers("ModelRegistryService/GetModelVersion", "RESOURCE_NOT_FOUND")]
    [Covers("ModelRegistryService/ListModelVersions", "RESOURCE_NOT_FOUND")]
    [Covers("ModelRegistryService/GetModelCard", "RESOURCE_NOT_FOUND")]
    public async Task What_does_not_exist_is_not_found()
    {
        await AssertFailsAsync(ErrorReason.ResourceNotFound, null, () => fixture.Client.GetModelAsync(new() { Name = "models/nobody" }).ResponseAsync);
        await AssertFailsAsync(
            ErrorReason.ResourceNotFound, null, () => fixture.Client.GetModelVersionAsync(new() { Name = "models/nobody/versions/latest" }).ResponseAsync);
        await AssertFailsAsync(
            ErrorReason.ResourceNotFound, null, () => fixture.Client.GetModelCardAsync(new() { Name = "models/nobody/versions/1" }).ResponseAsync);
        await AssertFailsAsync(
            ErrorReason.ResourceNotFound, null, () => fixture.Client.ListModelVersionsAsync(new() { Parent = "models/nobody" }).ResponseAsync);
    }

    [Fact]
    [Covers("ModelRegistryService/GetModelVersion", "OK")]
    public async Task Latest_is_the_newest_version()
    {
        var parent = fixture.NewModel();
        var first = await fixture.UploadAsync(parent);
        var second = await fixture.UploadAsync(parent);
        Assert.Equal(second, await fixture.Client.GetModelVersionAsync(new() { Name = $"{parent}/versions/latest" }, cancellationToken: Token));
        Assert.Equal(first, await fixture.Client.GetModelVersionAsync(new() { Name = $"{parent}/versions/1" }, cancellationToken: Token));
    }

    [Fact]
    [Covers("ModelRegistryService/GetModelCard", "OK")]
    public async Task An_uploaded_version_has_the_card_that_came_with_it_or_what_is_known()
    {
        var bare = await fixture.UploadAsync(fixture.NewModel());
        var files = TinyModel.Files();
        files["README.md"] = "# Mine\n"u8.ToArray();
        var carded = await fixture.UploadAsync(new() { Parent = fixture.NewModel() }, files);

        var known = await fixture.Client.GetModelCardAsync(new() { Name = bare.Name }, cancellationToken: Token);
        Assert.Equal(bare.Name, known.ModelVersion);
        Assert.Contains(bare.ManifestSha256, known.Markdown, StringComparison.Ordinal);
        Assert.Equal("# Mine\n", (await fixture.Client.GetModelCardAsync(new() { Name = carded.Name }, cancellationToken: Token)).Markdown);
    }

    [Fact]
    [Covers("ModelRegistryService/ListModels", "OK")]
    [Covers("ModelRegistryService/ListModelVersions", "OK")]
    public async Task Lists_are_newest_first_and_come_in_pages()
    {
        var (older, newer) = (fixture.NewModel(), fixture.NewModel());
        await fixture.UploadAsync(older);
        await fixture.UploadAsync(newer);
        await fixture.UploadAsync(newer);

        var models = await fixture.Client.ListModelsAsync(new() { PageSize = 2 }, cancellationToken: Token);
        Assert.Equal([newer, older], models.Models.Select(m => m.Name));

        var first = await fixture.Client.ListModelVersionsAsync(new() { Parent = newer, PageSize = 1 }, cancellationToken: Token);
        var second = await fixture.Client.ListModelVersionsAsync(
            new() { Parent = newer, PageSize = 1, PageToken = first.NextPageToken }, cancellationToken: Token);
        Assert.Equal([$"{newer}/versions/2", $"{newer}/versions/1"], first.ModelVersions.Concat(second.ModelVersions).Select(v => v.Name));
        Assert.Equal("", second.NextPageToken);
    }

    [Fact]
    [Covers("ModelRegistryService/ListModels", "FIELD_INVALID")]
    public async Task A_page_size_out_of_range_is_refused()
    {
        await AssertFailsAsync(ErrorReason.FieldInvalid, "page_size", () => fixture.Client.ListModelsAsync(new() { PageSize = -1 }).ResponseAsync);
        await AssertFailsAsync(ErrorReason.FieldInvalid, "page_size", () => fixture.Client.ListModelsAsync(new() { PageSize = 1001 }).ResponseAsync);
    }

    [Fact]
    [Covers("ModelRegistryService/ListModels", "PAGE_TOKEN_MISMATCH")]
    [Covers("ModelRegistryService/ListModelVersions", "PAGE_TOKEN_MISMATCH")]
    public async Task A_page_token_of_another_query_is_refused()
    {
        var parent = fixture.NewModel();
        await fixture.UploadAsync(parent);
        await fixture.UploadAsync(parent);
        var versions = await fixture.Client.ListModelVersionsAsync(new() { Parent = parent, PageSize = 1 }, cancellationToken: Token);
        await AssertFailsAsync(
            ErrorReason.PageTokenMismatch, null, () => fixture.Client.ListModelsAsync(new() { PageToken = versions.NextPageToken }).ResponseAsync);
        await AssertFailsAsync(
            ErrorReason.PageTokenMismatch, null, () => fixture.Client.ListModelVersionsAsync(new() { Parent = parent, PageToken = "garbage" }).ResponseAsync);
    }

    private static async Task AssertFailsAsync(ErrorReason reason, string? field, Func<Task> call)
    {
        var failure = await RegistryFixture.FailureAsync(call);
        Assert.Equal((reason, field), (failure.Reason, failure.Violations.Count == 0 ? null : failure.Violations[0].Field));
    }
}
