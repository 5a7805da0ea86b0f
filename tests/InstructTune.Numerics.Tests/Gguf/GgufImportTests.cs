using System.Text.Json;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Gguf;

[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class GgufImportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gguf-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(GgufFixtures.Files), MemberType = typeof(GgufFixtures))]
    public void An_imported_model_gives_the_reference_logits_and_greedy_tokens(string file)
    {
        using var scope = NewDisposeScope();
        GgufImport.ToFolder(Path.Combine(GgufFixtures.Folder, file), _folder);
        using var model = ModelFolder.Load(_folder, warning => Assert.Fail(warning));
        using var expected = SafetensorsReader.Open(Path.Combine(GgufFixtures.Folder, "expected.safetensors"));
        var reference = GgufFixtures.Expected(file);
        var ids = GgufFixtures.InputIds;
        var logits_TV = model.Logits(model.Hidden(tensor(ids, ScalarType.Int64).unsqueeze(0))[0]);
        var distance = ReferenceModel.Distance(logits_TV, expected.Read(reference.GetProperty("logits").GetString()!));
        Assert.True(ParityLog.IsWithin("gguf logits", file, distance, 1e-4), $"{distance}");
        var greedy = GreedyText.Generate(model, ids, 16);
        Assert.True(ParityLog.IsEqual("gguf greedy tokens", file, greedy.SequenceEqual(reference.GetProperty("greedy_ids").Ints())));
    }

    [Theory]
    [MemberData(nameof(GgufFixtures.Files), MemberType = typeof(GgufFixtures))]
    public void The_configuration_and_the_tokenizer_are_those_of_the_folder_that_the_file_was_made_from(string file)
    {
        var original = GgufFixtures.HuggingFace(file);
        GgufImport.ToFolder(Path.Combine(GgufFixtures.Folder, file), _folder);
        var (read, expected) = (ModelFolder.ReadConfig(_folder), ModelFolder.ReadConfig(original));
        // The file holds the epsilon as float32.
        Assert.Equal((float)expected.NormEpsilon, (float)read.NormEpsilon);
        Assert.Equal(Comparable(expected), Comparable(read));
        var (tokenizer, reference) = (Tokenizer.Load(_folder), Tokenizer.Load(original));
        Assert.Equal(reference.EndOfTextIds, tokenizer.EndOfTextIds);
        Assert.Equal(reference.PaddingId, tokenizer.PaddingId);
        foreach (var text in new[] { "the rain in 2025", "  a\n\n b", "don't <|end_of_text|>", "1 2  3   4 \u00e9\ud83d\ude42", "" })
        {
            Assert.Equal(reference.Encode(text, parseSpecial: true), tokenizer.Encode(text, parseSpecial: true));
        }

        Assert.Equal([0, .. reference.Encode("a")], tokenizer.Encode("a", addSpecialTokens: true));
    }

    [Fact]
    public void Weights_of_half_width_stay_as_they_are()
    {
        GgufImport.ToFolder(Path.Combine(GgufFixtures.Folder, "bf16.gguf"), _folder);
        using var reader = SafetensorsReader.Open(Path.Combine(_folder, "model.safetensors"));
        Assert.Equal(ScalarType.BFloat16, reader.Find("model.layers.0.mlp.up_proj.weight")!.Type);
        Assert.Equal(ScalarType.Float32, reader.Find("model.norm.weight")!.Type);
        Assert.Equal("bfloat16", ModelFolder.ReadConfig(_folder).StorageType);
    }

    [Fact]
    public void A_large_import_is_sharded_and_loads()
    {
        GgufImport.ToFolder(Path.Combine(GgufFixtures.Folder, "q4_0.gguf"), _folder, shardSizeBytes: 400_000);
        Assert.True(Directory.GetFiles(_folder, "model-*.safetensors").Length > 3);
        using var model = ModelFolder.Load(_folder, warning => Assert.Fail(warning));
        Assert.NotEmpty(model.Parameters);
    }

    private static string Comparable(LlamaConfig config) => JsonSerializer.Serialize(
        JsonDocument.Parse((config with { NormEpsilon = 1, StorageType = "" }).ToJson()).RootElement);
}
