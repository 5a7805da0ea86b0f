using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Gguf;

[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class GgufExportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gguf-").FullName;

    public static TheoryData<string, GgufTensorType> Exports => new()
    {
        { "f32.gguf", GgufTensorType.F32 },
        { "f16.gguf", GgufTensorType.F16 },
        { "q8_0.gguf", GgufTensorType.Q8_0 },
        { "llama3-rope.gguf", GgufTensorType.F16 },
        { "linear-rope.gguf", GgufTensorType.F16 },
        { "qwen2.gguf", GgufTensorType.F16 },
    };

    public static TheoryData<string> Tokenizers => [.. Fixtures.Names("tokenizers").DefaultIfEmpty("none")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Exports))]
    public void An_exported_folder_has_the_bytes_and_the_metadata_of_the_reference_file(string file, GgufTensorType type)
    {
        var path = Path.Combine(_folder, "model.gguf");
        var folder = Path.Combine(GgufFixtures.Folder, Path.GetFileName(GgufFixtures.HuggingFace(file)));
        GgufExport.Write(path, folder, type, "tiny " + (file.StartsWith("qwen2", StringComparison.Ordinal) ? "qwen2" : "llama"));
        using var ours = GgufReader.Open(path);
        using var reference = GgufReader.Open(Path.Combine(GgufFixtures.Folder, file));
        Assert.Equal(reference.Tensors, ours.Tensors, (a, b) => a!.Name == b!.Name && a.Type == b.Type && a.Shape.SequenceEqual(b.Shape) && a.OffsetBytes == b.OffsetBytes);
        foreach (var (expected, actual) in reference.Tensors.Zip(ours.Tensors))
        {
            if (actual.Name == GgufNames.RotaryFactors)
            {
                // The reference rounds frequencies to float32 before it divides them.
                var (their, our) = (new float[expected.Elements], new float[actual.Elements]);
                reference.ReadRows(expected, 0, their);
                ours.ReadRows(actual, 0, our);
                Assert.All(their.Zip(our), pair => Assert.Equal(pair.First, pair.Second, pair.First * 1e-6f));
                continue;
            }

            var equal = reference.StoredRows(expected, 0, (int)expected.Rows).SequenceEqual(ours.StoredRows(actual, 0, (int)actual.Rows));
            Assert.True(ParityLog.IsEqual("gguf export, bytes of tensors", $"{file} {actual.Name}", equal), actual.Name);
        }

        // Whether a text begins with a token is the folder's to say, and the reference's writer said otherwise.
        Assert.Equal(reference.Metadata.Keys.Order(StringComparer.Ordinal), ours.Metadata.Keys.Order(StringComparer.Ordinal));
        Assert.All(reference.Metadata.Keys.Where(k => k != "tokenizer.ggml.add_bos_token"), key =>
        {
            var (expected, actual) = (reference.Metadata.Find(key)!, ours.Metadata.Find(key)!);
            Assert.Equal((expected.Type, expected.IsArray), (actual.Type, actual.IsArray));
            Assert.True(expected.Numbers.SequenceEqual(actual.Numbers) && expected.Texts.SequenceEqual(actual.Texts), key);
        });
    }

    [Fact]
    public void A_rotary_rule_with_unusual_parameters_survives_the_way_out_and_back()
    {
        var rotary = new RotaryScaling { Kind = RotaryKind.Llama3, Base = 500_000, Factor = 32, OriginalContextTokens = 3000, LowFrequencyFactor = 1.5, HighFrequencyFactor = 9 };
        var factors = RotaryFactors.Of(rotary, 128);
        var fitted = RotaryFactors.Fit(new GgufMetadata("x.gguf"), factors, 500_000, 128, 131_072);
        Assert.All(RotaryFactors.Of(fitted, 128).Zip(factors), pair => Assert.Equal(pair.Second, pair.First, pair.Second * 1e-5f));
        var strange = factors.Select((f, i) => i == 5 ? f * 1.5f : f).ToArray();
        var refusal = Assert.Throws<ModelFormatException>(() => RotaryFactors.Fit(new GgufMetadata("x.gguf"), strange, 500_000, 128, 131_072));
        Assert.Equal("rope_freqs.weight", refusal.Item);
    }

    [Fact]
    public void A_number_that_float16_cannot_hold_is_refused_by_name()
    {
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped with { VocabularySize = 288 }, StepSeed.Of(1, "", 0, "weights"));
        model.Parameters.Single(p => p.Name == "model.layers.1.mlp.up_proj.weight").Value[0, 0] = 70_000;
        var folder = Path.Combine(_folder, "model");
        HuggingFaceFolder.Write(folder, model);
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
        {
            File.Copy(Path.Combine(GgufFixtures.Folder, "hf", name), Path.Combine(folder, name));
        }

        var refusal = Assert.Throws<ModelFormatException>(() => GgufExport.Write(Path.Combine(_folder, "x.gguf"), folder, GgufTensorType.F16, "x"));
        Assert.Equal("model.layers.1.mlp.up_proj.weight", refusal.Item);
        GgufExport.Write(Path.Combine(_folder, "y.gguf"), folder, GgufTensorType.F32, "x");
    }

    [Fact]
    public void The_plan_of_weights_is_what_a_model_has()
    {
        foreach (var config in new[] { SmallConfigs.Grouped, SmallConfigs.Ungrouped, SmallConfigs.Grouped with { Family = ModelFamily.Qwen3 }, SmallConfigs.Grouped with { QueryKeyValueBias = true, AttentionOutputBias = true, FeedForwardBias = true } })
        {
            using var model = new LlamaModel(config);
            Assert.Equal(model.Parameters.Select(p => $"{p.Name} {string.Join('x', p.Value.shape)}"), WeightPlan.Of(config).Select(w => $"{w.Name} {string.Join('x', w.Shape)}"));
        }
    }

    [Fact]
    public void Half_width_numbers_are_widened_to_the_bits_of_the_reference()
    {
        var halves = Enumerable.Range(0, 65_536).Select(i => (ushort)i).ToArray();
        var (widened, bytes) = (new float[halves.Length], System.Runtime.InteropServices.MemoryMarshal.AsBytes(halves.AsSpan()).ToArray());
        Widening.FromFloat16(bytes, widened);
        Assert.All(halves.Zip(widened), pair =>
        {
            var expected = (float)BitConverter.UInt16BitsToHalf(pair.First);
            Assert.True(float.IsNaN(expected) ? !float.IsFinite(pair.Second) : BitConverter.SingleToUInt32Bits(expected) == BitConverter.SingleToUInt32Bits(pair.Second));
        });
        Widening.FromBFloat16(bytes, widened);
        Assert.All(halves.Zip(widened), pair => Assert.Equal((uint)pair.First << 16, BitConverter.SingleToUInt32Bits(pair.Second)));
        Assert.False(Widening.AreFinite(widened));
        Assert.True(Widening.AreFinite(new float[37]));
        Assert.False(Widening.AreFinite([.. new float[36], float.NegativeInfinity]));
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void A_tokenizer_survives_the_way_out_and_back(string name)
    {
        var source = Fixtures.Folder("tokenizers", name);
        var (model, back) = (Path.Combine(_folder, "model"), Path.Combine(_folder, "back"));
        var size = Tokenizer.Load(source).VocabularySize;
        using (var random = LlamaModel.CreateRandom(SmallConfigs.Grouped with { VocabularySize = size + 3, ModelWidth = 8, LayerCount = 1, EndOfTextIds = [2] }, StepSeed.Of(1, "", 0, "weights")))
        {
            HuggingFaceFolder.Write(model, random);
        }

        File.Copy(Path.Combine(source, "tokenizer.json"), Path.Combine(model, "tokenizer.json"));
        GgufExport.Write(Path.Combine(_folder, "model.gguf"), model, GgufTensorType.F16, name);
        GgufImport.ToFolder(Path.Combine(_folder, "model.gguf"), back);
        var tokenizer = Tokenizer.Load(back);
        var texts = Fixtures.Json(Path.Combine(source, "..", "strings.json")).EnumerateArray().Select(t => t.GetString()!).ToArray();
        var (plain, special) = (Fixtures.Json(Path.Combine(source, "expected_ids.json")), Fixtures.Json(Path.Combine(source, "expected_ids_special.json")));
        for (var i = 0; i < texts.Length; i++)
        {
            var equal = plain[i].Ints().SequenceEqual(tokenizer.Encode(texts[i], parseSpecial: true))
                && special[i].Ints().SequenceEqual(tokenizer.Encode(texts[i], addSpecialTokens: true, parseSpecial: true));
            Assert.True(ParityLog.IsEqual("tokenizers through GGUF", $"{name} {i}", equal), $"{i}: {texts[i]}");
        }
    }
}
