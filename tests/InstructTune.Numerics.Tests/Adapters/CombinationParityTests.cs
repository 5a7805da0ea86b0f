using System.Text.Json;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Adapters combined by weights, against PEFT's add_weighted_adapter for every case of the fixtures.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class CombinationParityTests
{
    public static TheoryData<string> Cases => [.. Results().Select(r => r.GetProperty("name").GetString()!).DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Combined_adapters_are_those_of_PEFT(string name)
    {
        using var scope = NewDisposeScope();
        var root = Fixtures.Folder("peft", "merges");
        using var model = ModelFolder.Load(Path.Combine(ReferenceAdapter.Root, "base"));
        using var expected = SafetensorsReader.Open(Path.Combine(root, name + ".safetensors"));
        var example = Results().Single(r => r.GetProperty("name").GetString() == name);
        var arguments = example.GetProperty("arguments");
        var pair = name[..name.IndexOf("_rank", StringComparison.Ordinal)] + "_rank";
        using var a = PeftAdapter.Read(Path.Combine(root, pair + "_a"), model.Config);
        using var b = PeftAdapter.Read(Path.Combine(root, pair + "_b"), model.Config);
        var weights = arguments.GetProperty("weights").EnumerateArray().Select(w => w.GetDouble()).ToArray();
        using var combined = Rule(arguments, expected).Combine([(a, weights[0]), (b, weights[1])]);

        Assert.Equal((example.GetProperty("result_r").GetInt32(), example.GetProperty("result_lora_alpha").GetDouble()), (combined.Config.Rank, combined.Config.Alpha));
        foreach (var (path, module) in combined.Modules)
        {
            if (expected.Find(path + ".delta") is not null)
            {
                Parity.Within("peft merges svd", $"{name}/{path}", module.B_OR.mm(module.A_RI), expected.Read(path + ".delta"), 1e-5);
                continue;
            }

            Parity.Within("peft merges", $"{name}/{path}/A", module.A_RI, expected.Read(path + ".lora_A.weight"), 1e-7);
            Parity.Within("peft merges", $"{name}/{path}/B", module.B_OR, expected.Read(path + ".lora_B.weight"), 1e-7);
        }

        var hidden_BTD = model.Hidden(ReferenceAdapter.Ids.narrow(0, 0, 1), combined);
        Parity.Within("peft merges logits", name, model.Logits(hidden_BTD.view(-1, model.Config.ModelWidth)), expected.Read("logits")[0], 1e-5);
    }

    [Theory]
    [InlineData(CombinationKind.Linear)]
    [InlineData(CombinationKind.Ties)]
    [InlineData(CombinationKind.DareLinear)]
    public void Different_ranks_are_refused_where_PEFT_refuses_them(CombinationKind kind)
    {
        using var scope = NewDisposeScope();
        var root = Fixtures.Folder("peft", "merges");
        using var model = ModelFolder.Load(Path.Combine(ReferenceAdapter.Root, "base"));
        using var a = PeftAdapter.Read(Path.Combine(root, "other_rank_a"), model.Config);
        using var b = PeftAdapter.Read(Path.Combine(root, "other_rank_b"), model.Config);
        var refusal = Assert.Throws<ModelFormatException>(() => new AdapterCombination(kind).Combine([(a, 1), (b, 1)]));
        Assert.Equal("r", refusal.Item);
    }

    [Fact]
    public void Random_drops_repeat_with_their_seed_and_a_combination_can_be_written_and_read()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Load(Path.Combine(ReferenceAdapter.Root, "base"));
        using var a = ReferenceAdapter.Read("lora_r8_qv", model);
        using var b = ReferenceAdapter.Read("lora_r16_all_linear", model);
        var rule = new AdapterCombination(CombinationKind.DareTies) { Seed = StepSeed.Of(5, "", 0, "combine") };
        using var first = rule.Combine([(a, 1), (a, 0.5)]);
        using var again = rule.Combine([(a, 1), (a, 0.5)]);
        Assert.All(first.Tensors.Zip(again.Tensors), t => Assert.Equal(0, ReferenceModel.Distance(t.First.Value, t.Second.Value)));

        using var mixed = new AdapterCombination(CombinationKind.Cat).Combine([(a, 1), (b, -0.5)]);
        using var folder = new TemporaryFolder();
        PeftAdapter.Write(folder.Path, mixed);
        using var read = PeftAdapter.Read(folder.Path, model.Config);
        Assert.Equal(mixed.Tensors.Select(t => (t.Name, t.Value.sum().item<float>())), read.Tensors.Select(t => (t.Name, t.Value.sum().item<float>())));
        Assert.Equal([24], read.Modules.Values.Select(m => m.Rank).Distinct().Order());
    }

    private static AdapterCombination Rule(JsonElement arguments, SafetensorsReader expected)
    {
        var kind = Enum.Parse<CombinationKind>(arguments.GetProperty("combination_type").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        var drawn = 0;
        return new AdapterCombination(kind)
        {
            Density = arguments.TryGetProperty("density", out var density) ? density.GetDouble() : 0.5,
            CountsSigns = arguments.TryGetProperty("majority_sign_method", out var method) && method.GetString() == "frequency",
            SvdRank = arguments.TryGetProperty("svd_rank", out var rank) ? rank.GetInt32() : 0,
            Mask = (name, _) => expected.Read($"mask.{Place(name, drawn++):D3}"),
        };
    }

    // PEFT draws module after module of a layer with q_proj before down_proj; ours come in the order of their names.
    private static int Place(string name, int drawn) => (name.Contains("q_proj", StringComparison.Ordinal) ? 0 : 4) + (name.Contains("layers.1.", StringComparison.Ordinal) ? 8 : 0) + (drawn % 4);

    private static IEnumerable<JsonElement> Results() => Fixtures.Root is null || !File.Exists(Path.Combine(Fixtures.Root, "peft", "merges", "cases.json"))
        ? []
        : Fixtures.Json(Path.Combine(Fixtures.Root, "peft", "merges", "cases.json")).GetProperty("results").EnumerateArray();
}
