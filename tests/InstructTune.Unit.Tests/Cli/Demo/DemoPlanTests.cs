using InstructTune.Cli.Demo;
using MethodCase = InstructTune.V1.FineTuneSpec.Types.TrainingMethod.MethodOneofCase;

namespace InstructTune.Unit.Tests.Cli.Demo;

public sealed class DemoPlanTests
{
    private static readonly DemoDatasets Data = new("datasets/g", "datasets/s", "datasets/t", "");

    [Fact]
    public void The_arms_differ_in_the_generalist_stage_alone()
    {
        var plan = DemoPlan.Synthetic();
        var one = plan.Spec("models/b/versions/1", Data, 5, withGeneralist: false);
        var two = plan.Spec("models/b/versions/1", Data, 5, withGeneralist: true);
        Assert.Equal("generalist", two.Stages[0].StageId);
        two.Stages.RemoveAt(0);
        Assert.Equal(one, two);
    }

    [Fact]
    public void A_large_base_is_trained_with_adapters()
    {
        Assert.Equal(MethodCase.Full, DemoPlan.Real(5_400_000).Method.MethodCase);
        Assert.Equal(MethodCase.Lora, DemoPlan.Real(135_000_000).Method.MethodCase);
    }
}
