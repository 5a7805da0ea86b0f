using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer.Registry;

namespace InstructTune.Unit.Tests.Trainer.Registry;

public sealed class ModelRegistryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Versions_count_from_1_within_a_model()
    {
        var registry = NewRegistry();
        Assert.Equal(1, await RegisterAsync(registry, "first"));
        Assert.Equal(2, await RegisterAsync(registry, "first"));
        Assert.Equal(1, await RegisterAsync(registry, "second"));
    }

    [Fact]
    public async Task A_job_that_registers_again_gets_its_version_again()
    {
        var registry = NewRegistry();
        await RegisterAsync(registry, "first");
        Assert.Equal(2, await RegisterAsync(registry, "first", "fineTuneJobs/a"));
        Assert.Equal(2, await RegisterAsync(NewRegistry(), "first", "fineTuneJobs/a"));
        Assert.Equal(3, await RegisterAsync(registry, "first", "fineTuneJobs/b"));
    }

    [Fact]
    public async Task Registries_of_several_processes_never_give_a_number_twice()
    {
        var registries = Enumerable.Range(0, 4).Select(_ => NewRegistry()).ToList();
        var numbers = await Task.WhenAll(registries.SelectMany(r => Enumerable.Range(0, 10).Select(_ => Task.Run(() => RegisterAsync(r, "first")))));
        Assert.Equal(Enumerable.Range(1, 40), numbers.Order());
    }

    [Fact]
    public async Task One_job_in_several_processes_gets_one_version()
    {
        var registries = Enumerable.Range(0, 8).Select(_ => NewRegistry()).ToList();
        var numbers = await Task.WhenAll(registries.Select(r => Task.Run(() => RegisterAsync(r, "first", "fineTuneJobs/a"))));
        Assert.Single(numbers.Distinct());
        Assert.Single(registries[0].ListVersions("first", 0, "").Versions);
    }

    [Fact]
    public async Task A_number_that_a_dead_process_took_is_not_used_again()
    {
        Documents().TryCreate("models/first/numbers", "1", new { Number = 1 });
        Assert.Equal(2, await RegisterAsync(NewRegistry(), "first"));
    }

    [Fact]
    public async Task A_job_whose_process_died_before_its_version_was_made_gets_the_number_it_took()
    {
        Documents().TryCreate("models/first/numbers", "1", new { Number = 1 });
        Documents().TryCreate("models/first/jobs", "a", new { Number = 1 });
        Assert.Equal(2, await RegisterAsync(NewRegistry(), "first"));
        Assert.Equal(1, await RegisterAsync(NewRegistry(), "first", "fineTuneJobs/a"));
    }

    [Fact]
    public async Task Latest_is_the_newest()
    {
        var registry = NewRegistry();
        Assert.Null(registry.Find("first", "latest"));
        await RegisterAsync(registry, "first");
        await RegisterAsync(registry, "first");
        Assert.Equal("models/first/versions/2", registry.Find("first", "latest")!.Name);
        Assert.Equal(2, registry.FindModel("first")!.LatestVersion);
    }

    [Theory]
    [InlineData("first", "3")]
    [InlineData("first", "01")]
    [InlineData("first", "+1")]
    [InlineData("first", "newest")]
    [InlineData("second", "1")]
    [InlineData("../first", "1")]
    public async Task What_does_not_name_a_version_finds_none(string model, string version)
    {
        var registry = NewRegistry();
        await RegisterAsync(registry, "first");
        Assert.Null(registry.Find(model, version));
    }

    [Fact]
    public async Task A_version_keeps_what_it_was_registered_with()
    {
        var registry = NewRegistry();
        var adapter = NewVersion("first", "fineTuneJobs/a") with
        {
            Kind = ModelKind.LoraAdapter,
            BaseModelVersion = "models/base/versions/1",
            Adapter = new AdapterFacts(8, 16, ["q_proj"], RankStabilized: true),
            Lineage = new Dictionary<string, string>(StringComparer.Ordinal) { ["base"] = "models/base/versions/1@abc" },
        };
        await registry.RegisterAsync(adapter, CancellationToken.None);

        var found = NewRegistry().Find("first", "1")!;

        Assert.Equivalent(ModelVersionRecord.Of(adapter, 1, found.CreateTime), found, strict: true);
    }

    private static async Task<int> RegisterAsync(IModelRegistry registry, string model, string job = "") =>
        (await registry.RegisterAsync(NewVersion(model, job), CancellationToken.None)).Version;

    private static NewModelVersion NewVersion(string model, string job) => new()
    {
        Model = model,
        Kind = ModelKind.FullWeights,
        FineTuneJob = job,
        ManifestSha256 = new string('a', 64),
        ParameterCount = 10,
        ContextTokens = 128,
        PromptFormat = "alpaca",
        PromptFormatSha256 = new string('b', 64),
        Architecture = "LlamaForCausalLM",
        SizeBytes = 100,
    };

    private ModelRegistry NewRegistry() => new(Documents());

    private DocumentStore Documents() => new(new StorageOptions { Root = _folder.Path }, TimeProvider.System);
}
