using System.Collections.Concurrent;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.LlamaCpp.Tests;

/// <summary>llama.cpp reads what is exported, and computes the same.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class ExportTests : IDisposable
{
    private const int GreedyTokens = 64;

    private static readonly ConcurrentDictionary<string, (IReadOnlyList<int[]> Prompts, int[][] Texts)> s_texts = new(StringComparer.Ordinal);

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, GgufTensorType> Exact => new()
    {
        { "world-base", GgufTensorType.F32 },
        { "nano", GgufTensorType.F32 },
        { "nano", GgufTensorType.F16 },
    };

    public static TheoryData<string> Variants => [.. s_variants.Keys];

    private static readonly Dictionary<string, Func<LlamaConfig, LlamaConfig>> s_variants = new(StringComparer.Ordinal)
    {
        ["grouped, untied"] = c => c with { KeyValueHeads = 2, TiedEmbeddings = false },
        ["wide heads"] = c => c with { HeadWidth = 48 },
        ["llama3 rope"] = c => c with { Rotary = new RotaryScaling { Kind = RotaryKind.Llama3, Factor = 8, OriginalContextTokens = 32, LowFrequencyFactor = 1, HighFrequencyFactor = 4 } },
        ["linear rope"] = c => c with { Rotary = new RotaryScaling { Kind = RotaryKind.Linear, Factor = 4, OriginalContextTokens = 256 } },
        ["yarn rope"] = c => c with { Rotary = new RotaryScaling { Kind = RotaryKind.Yarn, Factor = 4, OriginalContextTokens = 64 } },
        ["qwen2"] = c => c with { Family = ModelFamily.Qwen2, QueryKeyValueBias = true, KeyValueHeads = 2 },
        ["qwen3"] = c => c with { Family = ModelFamily.Qwen3, HeadWidth = 48 },
        ["padded vocabulary"] = c => c with { VocabularySize = c.VocabularySize + 32 },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Exact))]
    public void The_first_64_greedy_tokens_are_equal_on_50_prompts(string name, GgufTensorType type)
    {
        var result = Compare(Bases.Folder(name), type);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name} {type}: {result}");
        Assert.True(ParityLog.IsEqual("llama.cpp, greedy tokens of exports", $"{name} {type}", result is { Equal: 50, Prompts: 50 }), $"{result}");
    }

    // llama.cpp rounds activations to float16 here, and the words of a synthetic world are often as likely as each other.
    [Fact]
    public void In_float16_a_text_parts_from_ours_only_where_two_tokens_are_equally_likely()
    {
        var result = Compare(Bases.World, GgufTensorType.F16);
        TestContext.Current.TestOutputHelper?.WriteLine($"world-base F16: {result}");
        Assert.True(result.Equal >= 45 && result.MostMarginAtParting < 0.02, $"{result}");
    }

    [Theory]
    [InlineData("world-base")]
    [InlineData("nano")]
    public void Eight_bits_agree_with_float32_on_most_tokens(string name)
    {
        var result = Compare(Bases.Folder(name), GgufTensorType.Q8_0);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name} Q8_0: {result}");
        Assert.True(result.AgreedTokens > 0.5, $"{result}");
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Every_kind_of_model_gives_the_same_scores(string variant)
    {
        using var scope = NewDisposeScope();
        var folder = _folder["model"];
        using var model = Bases.Random(folder, s_variants[variant]);
        GgufExport.Write(_folder["model.gguf"], folder, GgufTensorType.F32, "random");
        using var peer = new LlamaCppModel(_folder["model.gguf"]);
        var prompt = Bases.Prompts(Tokenizer.Load(folder))[7];
        var ours = model.Logits(model.Hidden(tensor(prompt, ScalarType.Int64).unsqueeze(0))[0].narrow(0, prompt.Length - 1, 1))[0].data<float>().ToArray();
        var difference = ours.Zip(peer.Logits(prompt), (a, b) => Math.Abs(a - b)).Max();
        Assert.True(ParityLog.IsWithin("llama.cpp, logits of exports", variant, difference, 1e-4), $"{difference}");
        Assert.True(ours.Max() - ours.Min() > 0.5, "The scores are too flat to tell anything.");
    }

    [Theory]
    [InlineData(GgufTensorType.F32, false)]
    [InlineData(GgufTensorType.F16, false)]
    [InlineData(GgufTensorType.F32, true)]
    public void An_adapter_is_loaded_beside_its_base_and_changes_the_same(GgufTensorType type, bool uneven)
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Load(Bases.World);
        var config = new LoraConfig { Rank = 4, Alpha = 6, TargetModules = LoraConfig.AllLinear };
        config = uneven ? config with { UseRsLora = true, RankPattern = [new("q_proj", 2)], AlphaPattern = [new("up_proj", 3)] } : config;
        using var adapter = LoraAdapter.Create(model, config, StepSeed.Of(3, "", 0, "adapter"));
        foreach (var module in adapter.Modules.Values)
        {
            using var generator = StepSeed.Of(4, "", 0, module.Path).NewGenerator();
            module.B_OR.copy_(randn(module.B_OR.shape, generator: generator) * 0.02);
        }

        GgufExport.Write(_folder["base.gguf"], Bases.World, GgufTensorType.F32, "base");
        GgufAdapter.Write(_folder["adapter.gguf"], adapter, model.Config, type, "adapter");
        using var peer = new LlamaCppModel(_folder["base.gguf"]);
        var prompt = Bases.Prompts(Tokenizer.Load(Bases.World))[3];
        var before = peer.Logits(prompt);
        peer.Apply(_folder["adapter.gguf"]);
        LoraMerge.Into(model, adapter);
        var ours = model.Logits(model.Hidden(tensor(prompt, ScalarType.Int64).unsqueeze(0))[0].narrow(0, prompt.Length - 1, 1))[0].data<float>().ToArray();
        var theirs = peer.Logits(prompt);
        var difference = ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(ParityLog.IsWithin("llama.cpp, logits with an adapter", $"{type} {uneven}", difference, type == GgufTensorType.F32 ? 1e-3 : 2e-2), $"{difference}");
        Assert.True(before.Zip(theirs, (a, b) => Math.Abs(a - b)).Max() > 0.1, "The adapter changes nothing.");
    }

    [Theory]
    [InlineData("world-base")]
    [InlineData("nano")]
    [InlineData("smollm2-135m-instruct")]
    public void Texts_become_the_same_tokens(string name)
    {
        var folder = Bases.Folder(name);
        var tokenizer = Tokenizer.Load(folder);
        var path = name.StartsWith("smol", StringComparison.Ordinal) ? Path.Combine(folder, "SmolLM2-135M-Instruct.Q4_1.gguf") : _folder["model.gguf"];
        if (!File.Exists(path))
        {
            GgufExport.Write(path, folder, GgufTensorType.F16, name);
        }

        using var peer = new LlamaCppModel(path);
        foreach (var text in new[] { "Hello 12345 world", "don't   stop\n\n now", "  x = 3.14159;\t\u00e9\u4e2d\ud83d\ude42", "", "a", "WE'LL SEE: <x> & y!" })
        {
            Assert.Equal(tokenizer.Encode(text, addSpecialTokens: true), peer.Tokenize(text, addSpecial: true));
        }
    }

    private Agreement Compare(string folder, GgufTensorType type)
    {
        using var scope = NewDisposeScope();
        var path = _folder["model.gguf"];
        GgufExport.Write(path, folder, type, "model");
        using var peer = new LlamaCppModel(path);
        var (prompts, ours) = s_texts.GetOrAdd(folder, OurTexts);
        var theirs = prompts.Select(p => peer.Greedy(p, GreedyTokens)).ToList();
        var partings = ours.Zip(theirs).Select(pair => (At: pair.First.AsSpan().CommonPrefixLength(pair.Second.Ids), pair.Second.Margins)).ToList();
        return new Agreement(
            partings.Count(p => p.At == GreedyTokens),
            prompts.Count,
            partings.Average(p => p.At / (double)GreedyTokens),
            partings.Where(p => p.At < GreedyTokens).Select(p => p.Margins[p.At]).DefaultIfEmpty(0).Max());
    }

    private static (IReadOnlyList<int[]> Prompts, int[][] Texts) OurTexts(string folder)
    {
        using var model = ModelFolder.Load(folder);
        var prompts = Bases.Prompts(Tokenizer.Load(folder));
        return (prompts, GreedyText.GenerateTogether(model, prompts, GreedyTokens));
    }

    /// <summary>Texts of 64 tokens that are equal to the last, tokens before the first that differs, and how sure llama.cpp was there.</summary>
    private sealed record Agreement(int Equal, int Prompts, double AgreedTokens, float MostMarginAtParting);
}
