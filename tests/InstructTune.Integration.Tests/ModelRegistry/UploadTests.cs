using Grpc.Core;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.ModelRegistry;

public sealed class UploadTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("ModelRegistryService/UploadModelVersion", "OK")]
    public async Task A_model_folder_becomes_a_version_that_says_what_it_holds()
    {
        var files = TinyModel.Files();
        var parent = fixture.NewModel();

        var version = await fixture.UploadAsync(new() { Parent = parent }, files);

        Assert.Equal($"{parent}/versions/1", version.Name);
        Assert.Equal(ModelVersion.Types.Kind.FullWeights, version.Kind);
        Assert.Equal(TinyModel.ParameterCount, version.ParameterCount);
        Assert.Equal((64, "LlamaForCausalLM", "alpaca"), (version.ContextTokens, version.Architecture, version.PromptFormat));
        Assert.Equal(files.Values.Sum(f => f.Length), version.SizeBytes);
        Assert.Equal(64, version.PromptFormatSha256.Length);
        Assert.True(Directory.Exists(Path.Combine(fixture.Root, "artifacts", version.ManifestSha256)));
    }

    [Fact]
    public async Task An_adapter_becomes_a_version_of_its_own_that_names_its_base()
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        var parent = fixture.NewModel();

        var version = await fixture.UploadAsync(
            new() { Parent = parent, BaseModelVersion = from.Name.Replace("/1", "/latest", StringComparison.Ordinal) }, TinyModel.AdapterFiles());

        Assert.Equal(ModelVersion.Types.Kind.LoraAdapter, version.Kind);
        Assert.Equal(from.Name, version.BaseModelVersion);
        Assert.Equal((4, 8.0, false), (version.Adapter.Rank, version.Adapter.Alpha, version.Adapter.RankStabilized));
        Assert.Equal(["q_proj", "v_proj"], version.Adapter.TargetModules.Order(StringComparer.Ordinal));
        Assert.Equal($"{from.Name}@{from.ManifestSha256}", version.Lineage["base"]);
    }

    [Fact]
    public async Task Equal_uploads_get_two_versions_of_one_content()
    {
        var parent = fixture.NewModel();
        var first = await fixture.UploadAsync(parent);
        var second = await fixture.UploadAsync(parent);
        Assert.Equal((first.ManifestSha256, $"{parent}/versions/2"), (second.ManifestSha256, second.Name));
    }

    [Fact]
    public async Task Uploads_at_the_same_time_get_numbers_of_their_own()
    {
        var parent = fixture.NewModel();
        var versions = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => fixture.UploadAsync(parent)));
        Assert.Equal([$"{parent}/versions/1", $"{parent}/versions/2", $"{parent}/versions/3"], versions.Select(v => v.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("models/", "", "header.parent")]
    [InlineData("models/Capital", "", "header.parent")]
    [InlineData("news", "", "header.parent")]
    [InlineData("models/news", "no-such-format", "header.prompt_format")]
    [Covers("ModelRegistryService/UploadModelVersion", "FIELD_INVALID")]
    public async Task A_header_that_breaks_the_rules_is_refused_by_field(string parent, string format, string field)
    {
        var failure = await RegistryFixture.FailureAsync(() => fixture.UploadAsync(new() { Parent = parent, PromptFormat = format }, []));
        Assert.Equal((ErrorReason.FieldInvalid, field), (failure.Reason, failure.Violations[0].Field));
    }

    [Theory]
    [InlineData("../config.json", "chunk.file_name")]
    [InlineData("manifest.json", "chunk.file_name")]
    [InlineData("", "chunk.file_name")]
    public async Task A_file_name_that_is_not_plain_is_refused(string name, string field)
    {
        var failure = await RegistryFixture.FailureAsync(
            () => fixture.UploadAsync(new() { Parent = fixture.NewModel() }, new() { [name] = [1] }));
        Assert.Equal((ErrorReason.FieldInvalid, field), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    public async Task A_stream_without_files_is_refused()
    {
        var failure = await RegistryFixture.FailureAsync(() => fixture.UploadAsync(new() { Parent = fixture.NewModel() }, []));
        Assert.Equal((ErrorReason.FieldInvalid, "chunk"), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    public async Task A_stream_that_does_not_begin_with_a_header_is_refused()
    {
        using var call = fixture.Client.UploadModelVersion(cancellationToken: Token);
        await call.RequestStream.WriteAsync(RegistryFixture.Chunk("config.json", [1]), Token);
        await call.RequestStream.CompleteAsync();
        var failure = await RegistryFixture.FailureAsync(() => call.ResponseAsync);
        Assert.Equal((ErrorReason.FieldInvalid, "header"), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    public async Task A_base_for_full_weights_and_none_for_an_adapter_are_refused()
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        var superfluous = await RegistryFixture.FailureAsync(
            () => fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = from.Name }, TinyModel.Files()));
        var missing = await RegistryFixture.FailureAsync(() => fixture.UploadAsync(new() { Parent = fixture.NewModel() }, TinyModel.AdapterFiles()));
        Assert.All([superfluous, missing], f => Assert.Equal("header.base_model_version", f.Violations[0].Field));
    }

    [Fact]
    [Covers("ModelRegistryService/UploadModelVersion", "RESOURCE_NOT_FOUND")]
    public async Task A_base_that_does_not_exist_is_refused_by_name()
    {
        var failure = await RegistryFixture.FailureAsync(
            () => fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = "models/nobody/versions/1" }, TinyModel.AdapterFiles()));
        Assert.Equal((ErrorReason.ResourceNotFound, "models/nobody/versions/1"), (failure.Reason, failure.Metadata["resource"]));
    }

    [Fact]
    [Covers("ModelRegistryService/UploadModelVersion", "WRONG_KIND")]
    public async Task An_adapter_is_no_base_of_another()
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        var adapter = await fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = from.Name }, TinyModel.AdapterFiles());
        var failure = await RegistryFixture.FailureAsync(
            () => fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = adapter.Name }, TinyModel.AdapterFiles()));
        Assert.Equal(ErrorReason.WrongKind, failure.Reason);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    [Covers("ModelRegistryService/UploadModelVersion", "MODEL_FILES_INVALID")]
    public async Task A_missing_file_is_named(string name)
    {
        var files = TinyModel.Files();
        files.Remove(name);
        await AssertRefusedAsync(files, name);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public async Task A_broken_file_is_named(string name)
    {
        var files = TinyModel.Files();
        files[name] = files[name][..(files[name].Length / 2)];
        await AssertRefusedAsync(files, name);
    }

    [Fact]
    public async Task Pickled_weights_are_refused()
    {
        var files = TinyModel.Files();
        files["pytorch_model.bin"] = [1, 2, 3];
        await AssertRefusedAsync(files, "pytorch_model.bin");
    }

    [Fact]
    public async Task An_adapter_of_another_width_is_refused_by_tensor()
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        var failure = await RegistryFixture.FailureAsync(
            () => fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = from.Name }, TinyModel.AdapterFiles(modelWidth: 64)));
        Assert.Equal((ErrorReason.ModelFilesInvalid, "adapter_model.safetensors"), (failure.Reason, failure.Metadata["file"]));
        Assert.Contains("lora_", failure.Metadata["item"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_stream_leaves_nothing()
    {
        var parent = fixture.NewModel();
        var before = StagedFolders();
        using (var call = fixture.Client.UploadModelVersion(cancellationToken: Token))
        {
            await call.RequestStream.WriteAsync(new UploadModelVersionRequest { Header = new() { Parent = parent } }, Token);
            await call.RequestStream.WriteAsync(RegistryFixture.Chunk("config.json", [1, 2, 3]), Token);
            await Eventually.HoldsAsync(() => StagedFolders() > before, "the upload has a folder");
        }

        await Eventually.HoldsAsync(() => StagedFolders() == before, "the folder of the broken upload is gone");
        var failure = await RegistryFixture.FailureAsync(() => fixture.Client.GetModelAsync(new() { Name = parent }, cancellationToken: Token).ResponseAsync);
        Assert.Equal(ErrorReason.ResourceNotFound, failure.Reason);
    }

    private async Task AssertRefusedAsync(Dictionary<string, byte[]> files, string file)
    {
        var parent = fixture.NewModel();
        var failure = await RegistryFixture.FailureAsync(() => fixture.UploadAsync(new() { Parent = parent }, files));
        Assert.Equal((ErrorReason.ModelFilesInvalid, file), (failure.Reason, failure.Metadata["file"]));
        await Assert.ThrowsAsync<RpcException>(() => fixture.Client.GetModelAsync(new() { Name = parent }, cancellationToken: Token).ResponseAsync);
    }

    private int StagedFolders()
    {
        var staging = Path.Combine(fixture.Root, "staging");
        return Directory.Exists(staging) ? Directory.EnumerateDirectories(staging).Count() : 0;
    }
}
