using InstructTune.Modeling.Llama;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class TrainedWeightsTests
{
    private static readonly string[] Names =
    [
        "lm_head.weight", "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "model.layers.0.self_attn.q_proj.bias",
        "model.layers.1.mlp.up_proj.weight", "model.layers.10.mlp.up_proj.weight", "model.layers.11.mlp.up_proj.weight", "model.norm.weight",
    ];

    [Fact]
    public void Without_a_choice_everything_is_trained() => Assert.Equal(Names, Trained(null));

    [Theory]
    [InlineData(1, "", "model.layers.11.mlp.up_proj.weight")]
    [InlineData(2, "norm", "model.layers.10.mlp.up_proj.weight model.layers.11.mlp.up_proj.weight model.norm.weight")]
    [InlineData(0, "lm_head", "lm_head.weight")]
    [InlineData(0, @"layers\.[01]\.mlp\.up_proj", "model.layers.0.mlp.up_proj.weight model.layers.1.mlp.up_proj.weight")]
    [InlineData(0, "q_proj", "model.layers.0.self_attn.q_proj.bias")]
    [InlineData(0, "proj", "")]
    public void The_last_layers_and_matching_modules_are_trained(int lastLayers, string module, string trained) =>
        Assert.Equal(trained, string.Join(' ', Trained(new FreezeSpec(lastLayers, module.Length == 0 ? [] : [module]))));

    [Fact]
    public void An_entry_that_matches_nothing_is_named() =>
        Assert.Equal("q_prj", TrainedWeights.Unmatched(new FreezeSpec(1, ["norm", "q_prj"]), Names));

    [Theory]
    [InlineData("lm_head", true)]
    [InlineData("(", false)]
    [InlineData("", false)]
    [InlineData(@"(a)\1", false)]
    [InlineData("(?=a)", false)]
    public void Only_patterns_that_match_in_linear_time_are_taken(string pattern, bool isPattern) => Assert.Equal(isPattern, TrainedWeights.IsPattern(pattern));

    private static IEnumerable<string> Trained(FreezeSpec? freeze) => Names.Where(TrainedWeights.Of(freeze, Config));

    private static LlamaConfig Config { get; } = new()
    {
        VocabularySize = 16, ModelWidth = 8, FeedForwardWidth = 8, LayerCount = 12, QueryHeads = 1, KeyValueHeads = 1, HeadWidth = 8, ContextTokens = 8,
    };
}
