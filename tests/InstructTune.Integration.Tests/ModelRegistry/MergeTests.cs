using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using InstructTune.V1;
using TorchSharp;
using Rule = InstructTune.V1.MergeModelVersionsRequest.Types.AdapterRule;

namespace InstructTune.Integration.Tests.ModelRegistry;

public sealed class MergeTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("ModelRegistryService/MergeModelVersions", "OK")]
    public async Task An_adapter_merged_into_its_base_is_full_weights_that_compute_the_same()
    {
        var (from, adapter) = await UploadPairAsync(seed: 3);
        var parent = fixture.NewModel();

        var merged = await MergeAsync(new() { Parent = parent, Components = { Of(adapter) } });

        Assert.Equal(($"{parent}/versions/1", ModelVersion.Types.Kind.FullWeights, ""), (merged.Name, merged.Kind, merged.BaseModelVersion));
        Assert.Equal((from.ParameterCount, from.ContextTokens, "alpaca"), (merged.ParameterCount, merged.ContextTokens, merged.PromptFormat));
        Assert.Equal($"{from.Name}@{from.ManifestSha256}", merged.Lineage["base"]);
        Assert.Equal($"1 x {adapter.Name}@{adapter.ManifestSha256}", merged.Lineage["component.1"]);
        using var scope = torch.NewDisposeScope();
        using var model = ModelFolder.Load(PathOf(from));
        using var peft = PeftAdapter.Read(PathOf(adapter), model.Config);
        using var whole = ModelFolder.Load(PathOf(merged));
        var ids_BT = torch.tensor(new long[] { 1, 7, 30, 2, 99 }).unsqueeze(0);
        Assert.True((whole.Hidden(ids_BT) - model.Hidden(ids_BT, peft)).abs().max().item<float>() < 1e-5);
        Assert.True((whole.Hidden(ids_BT) - model.Hidden(ids_BT)).abs().max().item<float>() > 1e-3);
    }

    [Fact]
    public async Task A_weighted_sum_is_the_base_and_the_weighted_differences_from_it()
    {
        var (from, first) = await UploadPairAsync(seed: 4);
        var second = await UploadAdapterAsync(from, seed: 5);
        var whole = await MergeAsync(new() { Parent = fixture.NewModel(), Components = { Of(second) } });

        var sum = await MergeAsync(new() { Parent = fixture.NewModel(), Components = { Of(first, 0.7), Of(whole, -0.5) } });

        using var scope = torch.NewDisposeScope();
        using var file = SafetensorsReader.Open(Path.Combine(PathOf(sum), "model.safetensors"));
        using var bases = SafetensorsReader.Open(Path.Combine(PathOf(from), "model.safetensors"));
        using var model = ModelFolder.Load(PathOf(from));
        using var a = PeftAdapter.Read(PathOf(first), model.Config);
        using var b = PeftAdapter.Read(PathOf(second), model.Config);
        const string path = "model.layers.1.self_attn.v_proj";
        var expected = bases.Read(path + ".weight") + (Delta(a, path) * 0.7) - (Delta(b, path) * 0.5);
        Assert.True((file.Read(path + ".weight") - expected).abs().max().item<float>() < 1e-6);
        Assert.Equal("-0.5 x", sum.Lineage["component.2"][..6]);

        static torch.Tensor Delta(LoraAdapter adapter, string path) => adapter.Modules[path].B_OR.mm(adapter.Modules[path].A_RI) * adapter.Modules[path].Scale;
    }

    [Fact]
    public async Task Several_adapters_become_one_that_does_their_weighted_sum()
    {
        var (from, first) = await UploadPairAsync(seed: 6);
        var second = await UploadAdapterAsync(from, seed: 7, rank: 2);

        var combined = await MergeAsync(new() { Parent = fixture.NewModel(), AdapterRule = new(), Components = { Of(first, 0.7), Of(second, 0.3) } });

        Assert.Equal((ModelVersion.Types.Kind.LoraAdapter, from.Name, 6), (combined.Kind, combined.BaseModelVersion, combined.Adapter.Rank));
        var sum = await MergeAsync(new() { Parent = fixture.NewModel(), Components = { Of(combined) } });
        var direct = await MergeAsync(new() { Parent = fixture.NewModel(), Components = { Of(first, 0.7), Of(second, 0.3) } });
        using var scope = torch.NewDisposeScope();
        using var one = ModelFolder.Load(PathOf(sum));
        using var other = ModelFolder.Load(PathOf(direct));
        Assert.All(one.Parameters.Zip(other.Parameters), p => Assert.True((p.First.Value - p.Second.Value).abs().max().item<float>() < 1e-6));
    }

    [Fact]
    public async Task A_PiSSA_adapter_is_stored_as_the_ordinary_adapter_that_does_the_same()
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        var files = TinyModel.TrainedAdapterFiles(8, rank: 4, startsAsPissa: true);
        var version = await fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = from.Name }, files);

        Assert.Equal((8, 16.0), (version.Adapter.Rank, version.Adapter.Alpha));
        using var scope = torch.NewDisposeScope();
        using var model = ModelFolder.Load(PathOf(from));
        using var ordinary = PeftAdapter.Read(PathOf(version), model.Config);
        var ids_BT = torch.tensor(new long[] { 1, 7, 30, 2, 99 }).unsqueeze(0);
        var served_BTD = model.Hidden(ids_BT, ordinary);
        using var folder = new TemporaryFolder();
        foreach (var (name, content) in files)
        {
            InstructTune.Storage.AtomicFile.Write(folder[name], content);
        }

        using var special = PeftAdapter.Read(folder.Path, model.Config);
        PissaConversion.MakeResidual(model, special.Config);
        Assert.True((model.Hidden(ids_BT, special) - served_BTD).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    [Covers("ModelRegistryService/MergeModelVersions", "FIELD_INVALID")]
    public async Task A_request_that_breaks_the_rules_is_refused_by_field()
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        var cases = new (MergeModelVersionsRequest Request, string Field)[]
        {
            (new() { Parent = "news", Components = { Of(from) } }, "parent"),
            (new() { Parent = "models/news" }, "components"),
            (new() { Parent = "models/news", Components = { Of(from, 0) } }, "components[0].weight"),
            (new() { Parent = "models/news", Components = { Of(from, double.NaN) } }, "components[0].weight"),
            (new() { Parent = "models/news", Components = { Of(from) } }, "base_model_version"),
            (new() { Parent = "models/news", Components = { new MergeModelVersionsRequest.Types.Component { ModelVersion = "x" } } }, "components[0].model_version"),
            (new() { Parent = "models/news", AdapterRule = new() { Density = 2 }, Components = { Of(from) } }, "adapter_rule.density"),
            (new() { Parent = "models/news", AdapterRule = new() { SvdRank = -1 }, Components = { Of(from) } }, "adapter_rule.svd_rank"),
        };
        foreach (var (request, field) in cases)
        {
            var failure = await RegistryFixture.FailureAsync(() => MergeAsync(request));
            Assert.Equal((ErrorReason.FieldInvalid, field), (failure.Reason, failure.Violations[0].Field));
        }
    }

    [Fact]
    [Covers("ModelRegistryService/MergeModelVersions", "RESOURCE_NOT_FOUND")]
    public async Task A_version_that_is_not_there_is_refused_by_name()
    {
        var request = new MergeModelVersionsRequest { Parent = "models/news", Components = { new MergeModelVersionsRequest.Types.Component { ModelVersion = "models/nobody/versions/1" } } };
        var failure = await RegistryFixture.FailureAsync(() => MergeAsync(request));
        Assert.Equal((ErrorReason.ResourceNotFound, "models/nobody/versions/1"), (failure.Reason, failure.Metadata["resource"]));
    }

    [Fact]
    [Covers("ModelRegistryService/MergeModelVersions", "WRONG_KIND")]
    public async Task Versions_that_do_not_go_together_are_refused()
    {
        var (from, adapter) = await UploadPairAsync(seed: 9);
        var other = await fixture.UploadAsync(fixture.NewModel());
        MergeModelVersionsRequest[] requests =
        [
            new() { Parent = "models/news", AdapterRule = new() { Kind = Rule.Types.Kind.Ties }, BaseModelVersion = from.Name, Components = { Of(from) } },
            new() { Parent = "models/news", BaseModelVersion = other.Name, Components = { Of(adapter) } },
            new() { Parent = "models/news", BaseModelVersion = adapter.Name, Components = { Of(adapter) } },
        ];
        foreach (var request in requests)
        {
            Assert.Equal(ErrorReason.WrongKind, (await RegistryFixture.FailureAsync(() => MergeAsync(request))).Reason);
        }
    }

    [Fact]
    [Covers("ModelRegistryService/MergeModelVersions", "MODEL_FILES_INVALID")]
    public async Task Adapters_of_different_ranks_are_refused_by_the_rules_that_need_equal_ones_and_leave_nothing()
    {
        var (from, first) = await UploadPairAsync(seed: 10);
        var second = await UploadAdapterAsync(from, seed: 11, rank: 2);
        var before = Directory.GetDirectories(Path.Combine(fixture.Root, "artifacts")).Length;
        var request = new MergeModelVersionsRequest { Parent = fixture.NewModel(), AdapterRule = new() { Kind = Rule.Types.Kind.Linear }, Components = { Of(first), Of(second) } };

        var failure = await RegistryFixture.FailureAsync(() => MergeAsync(request));

        Assert.Equal((ErrorReason.ModelFilesInvalid, "r"), (failure.Reason, failure.Metadata["item"]));
        Assert.Equal(before, Directory.GetDirectories(Path.Combine(fixture.Root, "artifacts")).Length);
    }

    private static MergeModelVersionsRequest.Types.Component Of(ModelVersion version, double? weight = null)
    {
        var component = new MergeModelVersionsRequest.Types.Component { ModelVersion = version.Name };
        if (weight is { } given)
        {
            component.Weight = given;
        }

        return component;
    }

    private async Task<(ModelVersion Base, ModelVersion Adapter)> UploadPairAsync(ulong seed)
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        return (from, await UploadAdapterAsync(from, seed));
    }

    private Task<ModelVersion> UploadAdapterAsync(ModelVersion from, ulong seed, int rank = 4) =>
        fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = from.Name }, TinyModel.TrainedAdapterFiles(seed, rank));

    private async Task<ModelVersion> MergeAsync(MergeModelVersionsRequest request) => await fixture.Client.MergeModelVersionsAsync(request, cancellationToken: Token);

    private string PathOf(ModelVersion version) => Path.Combine(fixture.Root, "artifacts", version.ManifestSha256);
}
