using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using InstructTune.Numerics.Tests.Llama;

namespace InstructTune.Numerics.Tests.Driver;

/// <summary>The layer-wise driver against libtorch's graph over the whole model, and against itself with layers computed again.</summary>
public sealed class LayerDriverTests
{
    // Relative length of the difference of gradients; what is asked of parity with peers.
    private const double Tolerance = 1e-5;

    private static readonly LoraConfig s_lora = new() { Rank = 4, Alpha = 8, TargetModules = LoraConfig.AllLinear };

    // Ragged, so that there is padding; then rows of several examples. Two micro-batches, so that gradients add up.
    private static readonly IReadOnlyList<IReadOnlyList<TokenizedExample>> s_plain = [[Row(70, 3), Row(41, 0), Row(9, 4)], [Row(33, 2)]];

    private static readonly IReadOnlyList<IReadOnlyList<TokenizedExample>> s_packed =
        [[TokenizedExample.Pack([Row(50, 3), Row(17, 5)]), TokenizedExample.Pack([Row(8, 1), Row(21, 0), Row(30, 9)])], [TokenizedExample.Pack([Row(64, 60)])]];

    private static readonly LlamaConfig s_headNorms = SmallConfigs.Grouped with { Family = ModelFamily.Qwen3 };

    private static readonly LlamaConfig s_biases = SmallConfigs.Grouped with
    {
        Family = ModelFamily.Qwen2, QueryKeyValueBias = true, AttentionOutputBias = true, FeedForwardBias = true,
    };

    private static readonly Dictionary<string, Func<DriverCase>> s_cases = new(StringComparer.Ordinal)
    {
        ["full, grouped heads"] = () => DriverCase.Full(SmallConfigs.Grouped),
        ["full, tied embeddings"] = () => DriverCase.Full(SmallConfigs.Ungrouped),
        ["full, windows"] = () => DriverCase.Full(SmallConfigs.Windowed),
        ["full, norms of heads"] = () => DriverCase.Full(s_headNorms),
        ["full, biases"] = () => DriverCase.Full(s_biases),
        ["full, odd widths"] = () => DriverCase.Full(SmallConfigs.Grouped with { ModelWidth = 45, FeedForwardWidth = 77, VocabularySize = 99 }),
        ["noise on embeddings"] = () => DriverCase.Noisy(SmallConfigs.Grouped),
        ["last layer only"] = () => DriverCase.Full(SmallConfigs.Grouped, name => name.StartsWith("model.layers.1.", StringComparison.Ordinal)),
        ["one matrix of a group only"] = () => DriverCase.Full(SmallConfigs.Grouped, name => name == "model.layers.0.self_attn.k_proj.weight"),
        ["head and last norm only"] = () => DriverCase.Full(SmallConfigs.Grouped, name => name is "lm_head.weight" or "model.norm.weight"),
        ["LoRA"] = () => DriverCase.Lora(SmallConfigs.Grouped, s_lora),
        ["LoRA, odd widths"] = () => DriverCase.Lora(SmallConfigs.Grouped with { ModelWidth = 45, FeedForwardWidth = 77 }, s_lora),
        ["LoRA, odd rank"] = () => DriverCase.Lora(SmallConfigs.Grouped, s_lora with { Rank = 21 }),
        ["LoRA with dropout"] = () => DriverCase.Lora(SmallConfigs.Grouped, s_lora with { Dropout = 0.2 }),
        ["LoRA with dropout on the head"] = () =>
            DriverCase.Lora(SmallConfigs.Grouped with { TiedEmbeddings = false }, s_lora with { Dropout = 0.2, TargetModules = [.. LoraConfig.AllLinear, "lm_head"] }),
        ["LoRA on two modules"] = () => DriverCase.Lora(s_biases, s_lora with { TargetModules = ["v_proj", "down_proj"] }),
        ["LoRA over bfloat16"] = () => DriverCase.Lora(SmallConfigs.Grouped, s_lora, BaseFormat.Bf16),
        ["QLoRA"] = () => DriverCase.Lora(SmallConfigs.Grouped with { ModelWidth = 64 }, s_lora, BaseFormat.Nf4),
        ["DoRA"] = () => DriverCase.Lora(SmallConfigs.Grouped, s_lora with { UseDora = true }),
        ["LoRA with head and embedding in full"] = () =>
            DriverCase.Lora(SmallConfigs.Grouped, s_lora with { SavedModules = ["lm_head", "embed_tokens"] }),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_are_those_of_the_graph(string name)
    {
        using var subject = s_cases[name]();
        foreach (var batches in new[] { s_plain, s_packed })
        {
            var (loss, gradients) = subject.ByDriver(batches);
            var (expectedLoss, expected) = subject.ByGraph(batches);
            Assert.Equal(expectedLoss, loss, 1e-6 * expectedLoss);
            Assert.Equal(expected.Keys, gradients.Keys);
            foreach (var (weight, values) in expected)
            {
                Assert.True(Distance(values, gradients[weight]) < Tolerance, $"{weight}: {Distance(values, gradients[weight])}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Layers_computed_again_give_the_same_bits(string name)
    {
        using var subject = s_cases[name]();
        foreach (var batches in new[] { s_plain, s_packed })
        {
            var (loss, gradients) = subject.ByDriver(batches);
            var (again, gradientsAgain) = subject.ByDriver(batches, recomputes: true);
            Assert.Equal(loss, again);
            Assert.All(gradients, gradient => Assert.Equal(gradient.Value, gradientsAgain[gradient.Key]));
        }
    }

    [Fact]
    public void A_run_repeated_gives_the_same_bits_whatever_ran_between()
    {
        using var subject = DriverCase.Full(SmallConfigs.Grouped);
        var (_, first) = subject.ByDriver(s_plain);
        subject.ByDriver(s_packed, recomputes: true);
        var (_, second) = subject.ByDriver(s_plain);
        Assert.All(first, gradient => Assert.Equal(gradient.Value, second[gradient.Key]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_cut_into_smaller_passes_drops_the_same_and_has_the_same_noise(bool isPacked)
    {
        using var subject = DriverCase.Lora(SmallConfigs.Grouped, s_lora with { Dropout = 0.2 }, noise: 5);
        var rows = (isPacked ? s_packed : s_plain).SelectMany(batch => batch).OrderByDescending(row => row.Ids.Length).ToArray();
        var (loss, gradients) = subject.ByDriver([rows]);
        foreach (var size in new[] { 2, 1 })
        {
            var (cutLoss, cut) = subject.ByDriver([.. rows.Chunk(size)]);
            Assert.Equal(loss, cutLoss, 1e-6 * loss);
            Assert.All(gradients, gradient => Assert.InRange(Distance(gradient.Value, cut[gradient.Key]), 0, Tolerance));
        }
    }

    private static TokenizedExample Row(int tokens, int promptTokens) =>
        new(SmallConfigs.Text(tokens, tokens), [.. Enumerable.Range(0, tokens).Select(token => token >= promptTokens)]);

    private static double Distance(float[] expected, float[] actual)
    {
        var difference = Math.Sqrt(expected.Zip(actual, (a, b) => ((double)a - b) * ((double)a - b)).Sum());
        var length = Math.Sqrt(expected.Sum(a => (double)a * a));
        return length == 0 ? difference : difference / length;
    }
}
