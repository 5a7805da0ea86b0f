using System.Security.Cryptography;
using Grpc.Core;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using InstructTune.V1;
using Format = InstructTune.V1.ModelExport.Types.Format;
using Type = InstructTune.V1.ModelExport.Types.ElementType;

namespace InstructTune.Integration.Tests.ModelRegistry;

public sealed class ExportTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Theory]
    [InlineData(Type.Float32)]
    [InlineData(Type.Float16)]
    [InlineData(Type.Q80)]
    [Covers("ModelRegistryService/ExportModelVersion", "OK")]
    public async Task A_model_goes_out_as_GGUF_and_comes_back_as_a_version(Type type)
    {
        var version = await fixture.UploadAsync(fixture.NewModel());
        var (export, files) = await ExportAsync(version.Name, Format.Gguf, type);
        var file = Assert.Single(export.Files);
        Assert.True(export.Parity.TokenCount > 20);
        Assert.Equal(type == Type.Float32, export.Parity.MaxLogitDifference == 0);
        Assert.InRange(export.Parity.RelativeError, type == Type.Float32 ? 0 : 1e-7, type == Type.Q80 ? 0.1 : 0.01);
        var known = await fixture.Client.GetModelVersionAsync(new() { Name = version.Name }, cancellationToken: TestContext.Current.CancellationToken);
        var told = Assert.Single(known.Exports, made => made.ElementType == type);
        Assert.Equal(export.Parity, told.Parity);
        Assert.EndsWith(".gguf", file.Path, StringComparison.Ordinal);
        var again = await fixture.UploadAsync(new() { Parent = fixture.NewModel() }, files);
        Assert.Equal((version.ParameterCount, version.ContextTokens, version.Architecture), (again.ParameterCount, again.ContextTokens, again.Architecture));
        var folder = Path.Combine(fixture.Root, "artifacts", again.ManifestSha256);
        // What our kernels multiply as it is stays for them; an export of the folder leaves it out.
        byte[][] kept = type == Type.Q80 ? [files.Values.Single()] : [];
        Assert.Equal(kept, Directory.GetFiles(folder, "*.gguf").Select(File.ReadAllBytes));
        Assert.DoesNotContain((await ExportAsync(again.Name, Format.Safetensors, Type.Unspecified)).Export.Files, f => f.Path.EndsWith(".gguf", StringComparison.Ordinal));
        using var model = ModelFolder.Load(folder);
        using var original = ModelFolder.Load(Path.Combine(fixture.Root, "artifacts", version.ManifestSha256));
        var tolerance = type == Type.Float32 ? 0 : type == Type.Float16 ? 1e-4 : 1e-3;
        Assert.All(original.Parameters.Zip(model.Parameters), pair =>
        {
            using var difference = (pair.First.Value - pair.Second.Value).abs().max();
            Assert.InRange(difference.item<float>(), 0, tolerance);
        });
    }

    [Fact]
    public async Task An_adapter_goes_out_as_it_is_as_a_GGUF_adapter_or_merged()
    {
        var from = await fixture.UploadAsync(fixture.NewModel());
        var files = TinyModel.AdapterFiles();
        var adapter = await fixture.UploadAsync(new() { Parent = fixture.NewModel(), BaseModelVersion = from.Name }, files);
        var (_, peft) = await ExportAsync(adapter.Name, Format.Peft, Type.Unspecified);
        Assert.Equal(files, peft);
        var (half, gguf) = await ExportAsync(adapter.Name, Format.GgufAdapter, Type.Float16);
        Assert.True(half.Parity.TokenCount > 0);
        Assert.InRange(half.Parity.RelativeError, 0, 1e-2);
        using var scratch = new TemporaryFolder();
        using (var stream = File.Create(scratch["adapter.gguf"]))
        {
            stream.Write(gguf.Values.Single());
        }

        using (var reader = GgufReader.Open(scratch["adapter.gguf"]))
        {
            Assert.Equal(8, reader.Tensors.Count);
            Assert.Equal([4, 32], reader.Find("blk.1.attn_q.weight.lora_a")!.Shape);
            Assert.Equal([32, 4], reader.Find("blk.1.attn_q.weight.lora_b")!.Shape);
        }

        var (told, merged) = await ExportAsync(adapter.Name, Format.Safetensors, Type.Unspecified);
        Assert.Equal(0, told.Parity.MaxLogitDifference);
        Assert.InRange(told.MergeParity.RelativeError, 0, 1e-5);
        Assert.Equal(
            ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"], merged.Keys.Where(n => n != "generation_config.json").Order(StringComparer.Ordinal));
        var whole = await fixture.UploadAsync(new() { Parent = fixture.NewModel() }, merged);
        Assert.Equal(ModelVersion.Types.Kind.FullWeights, whole.Kind);
        var (mergedGguf, _) = await ExportAsync(adapter.Name, Format.Gguf, Type.Q80);
        Assert.Single(mergedGguf.Files);
    }

    [Theory]
    [InlineData(Format.Unspecified, Type.Unspecified, "model_export.format")]
    [InlineData(Format.Gguf, Type.Unspecified, "model_export.element_type")]
    [InlineData(Format.Safetensors, Type.Float16, "model_export.element_type")]
    [InlineData(Format.GgufAdapter, Type.Q80, "model_export.element_type")]
    [Covers("ModelRegistryService/ExportModelVersion", "FIELD_INVALID")]
    public async Task A_format_that_does_not_exist_is_refused_by_field(Format format, Type type, string field)
    {
        var failure = await RegistryFixture.FailureAsync(() => ExportAsync("models/any/versions/1", format, type));
        Assert.Equal((ErrorReason.FieldInvalid, field), (failure.Reason, failure.Violations[0].Field));
    }

    [Fact]
    [Covers("ModelRegistryService/ExportModelVersion", "RESOURCE_NOT_FOUND")]
    public async Task A_version_that_does_not_exist_is_not_found()
    {
        var failure = await RegistryFixture.FailureAsync(() => ExportAsync("models/nobody/versions/1", Format.Gguf, Type.Float32));
        Assert.Equal((ErrorReason.ResourceNotFound, "models/nobody/versions/1"), (failure.Reason, failure.Metadata["resource"]));
    }

    [Fact]
    [Covers("ModelRegistryService/ExportModelVersion", "WRONG_KIND")]
    public async Task Full_weights_are_no_adapter()
    {
        var version = await fixture.UploadAsync(fixture.NewModel());
        var failure = await RegistryFixture.FailureAsync(() => ExportAsync(version.Name, Format.Peft, Type.Unspecified));
        Assert.Equal(ErrorReason.WrongKind, failure.Reason);
    }

    [Fact]
    [Covers("ModelRegistryService/ExportModelVersion", "MODEL_FILES_INVALID")]
    public async Task What_the_format_cannot_express_is_refused_by_name()
    {
        var files = TinyModel.Files();
        var config = System.Text.Json.Nodes.JsonNode.Parse(files["config.json"])!;
        config["rope_scaling"] = new System.Text.Json.Nodes.JsonObject { ["rope_type"] = "dynamic", ["factor"] = 2.0 };
        files["config.json"] = System.Text.Encoding.UTF8.GetBytes(config.ToJsonString());
        var version = await fixture.UploadAsync(new() { Parent = fixture.NewModel() }, files);
        var failure = await RegistryFixture.FailureAsync(() => ExportAsync(version.Name, Format.Gguf, Type.Float32));
        Assert.Equal((ErrorReason.ModelFilesInvalid, "rope_type"), (failure.Reason, failure.Metadata["item"]));
    }

    [Fact]
    public async Task A_GGUF_file_that_is_broken_or_does_not_come_alone_is_refused_and_leaves_nothing()
    {
        var version = await fixture.UploadAsync(fixture.NewModel());
        var (_, files) = await ExportAsync(version.Name, Format.Gguf, Type.Float16);
        var (name, content) = files.Single();
        var parent = fixture.NewModel();
        var cut = await RegistryFixture.FailureAsync(() => fixture.UploadAsync(new() { Parent = parent }, new() { [name] = content[..^40] }));
        Assert.Equal((ErrorReason.ModelFilesInvalid, name, "output_norm.weight"), (cut.Reason, cut.Metadata["file"], cut.Metadata["item"]));
        var accompanied = await RegistryFixture.FailureAsync(() => fixture.UploadAsync(new() { Parent = parent }, new() { [name] = content, ["config.json"] = "{}"u8.ToArray() }));
        Assert.Equal((ErrorReason.ModelFilesInvalid, name), (accompanied.Reason, accompanied.Metadata["file"]));
        var missing = await RegistryFixture.FailureAsync(async () => await fixture.Client.GetModelAsync(new() { Name = parent }, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(ErrorReason.ResourceNotFound, missing.Reason);
    }

    private async Task<(ModelExport Export, Dictionary<string, byte[]> Files)> ExportAsync(string name, Format format, Type type)
    {
        var request = new ExportModelVersionRequest { Name = name, ModelExport = new ModelExport { Format = format, ElementType = type } };
        using var call = fixture.Client.ExportModelVersion(request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        var export = call.ResponseStream.Current.ModelExport;
        var files = export.Files.ToDictionary(f => f.Path, _ => new MemoryStream(), StringComparer.Ordinal);
        await foreach (var message in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            Assert.Equal(files[message.Chunk.Path].Length, message.Chunk.Offset);
            files[message.Chunk.Path].Write(message.Chunk.Data.Span);
        }

        Assert.All(export.Files, f => Assert.Equal((f.SizeBytes, f.Sha256), (files[f.Path].Length, Convert.ToHexStringLower(SHA256.HashData(files[f.Path].ToArray())))));
        return (export, files.ToDictionary(f => f.Key, f => f.Value.ToArray(), StringComparer.Ordinal));
    }
}
