using InstructTune.Cli.Report.Runs;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.Report;

public sealed class MethodLineTests
{
    [Fact]
    public void Every_method_has_its_line()
    {
        Assert.Equal("all weights", MethodLine.Of(new() { Full = new() }));
        Assert.Equal("the last 2 layers and lm_head, norm", MethodLine.Of(new() { Freeze = new() { TrainableLastLayers = 2, TrainableModules = { "lm_head", "norm" } } }));
        Assert.Equal("LoRA r 8, alpha 16, dropout 0.05", MethodLine.Of(new() { Lora = new() { Rank = 8, Alpha = 16, Dropout = 0.05, BLearningRateRatio = 1 } }));
        Assert.Equal(
            "QLoRA r 8, alpha 16, dropout 0, rank-stabilized, weight-decomposed, rate of B times 4",
            MethodLine.Of(new() { Qlora = new() { Lora = new() { Rank = 8, Alpha = 16, RankStabilized = true, WeightDecomposed = true, BLearningRateRatio = 4 } } }));
        Assert.Equal(
            "LoRA r 8, alpha 16, dropout 0, PiSSA",
            MethodLine.Of(new() { Lora = new() { Rank = 8, Alpha = 16, Initialization = FineTuneSpec.Types.LoraMethod.Types.Initialization.Pissa } }));
    }
}
