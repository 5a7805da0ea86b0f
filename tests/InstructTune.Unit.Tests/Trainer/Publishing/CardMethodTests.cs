using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Publishing;

namespace InstructTune.Unit.Tests.Trainer.Publishing;

public sealed class CardMethodTests
{
    private static readonly LoraSpec Lora = new() { Rank = 4, Alpha = 8, TargetModules = ["q_proj", "v_proj"], BRateRatio = 1 };

    [Fact]
    public void A_plain_adapter_is_called_LoRA() => Assert.Equal("LoRA r 4, alpha 8, dropout 0: q_proj, v_proj", CardMethod.Of(new MethodSpec(Lora)));

    [Fact]
    public void Everything_that_makes_an_adapter_another_one_is_named() => Assert.StartsWith(
        "QLoRA with DoRA with rsLoRA with LoRA+ (rate of B times 16) r 4",
        CardMethod.Of(new MethodSpec(Lora with { QuantizesBase = true, WeightDecomposed = true, RankStabilized = true, BRateRatio = 16 })),
        StringComparison.Ordinal);

    [Fact]
    public void What_freeze_trains_is_named_layers_and_modules() => Assert.Equal(
        "the last 2 layers and the modules lm_head, norm", CardMethod.Of(new MethodSpec(null, new FreezeSpec(2, ["lm_head", "norm"]))));

    [Fact]
    public void All_weights_are_all_weights() => Assert.Equal("all weights", CardMethod.Of(new MethodSpec(null)));
}
