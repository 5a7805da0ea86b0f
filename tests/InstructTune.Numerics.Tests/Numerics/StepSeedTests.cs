using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Numerics;

public sealed class StepSeedTests
{
    [Fact]
    public void Every_part_of_the_place_matters()
    {
        var seed = StepSeed.Of(1, "stage", 2, "order");
        Assert.Equal(seed, StepSeed.Of(1, "stage", 2, "order"));
        StepSeed[] others =
        [
            StepSeed.Of(2, "stage", 2, "order"), StepSeed.Of(1, "stag", 2, "order"), StepSeed.Of(1, "stage", 3, "order"),
            StepSeed.Of(1, "stage", 2, "dropout"), seed.Derive("order"), seed.Derive("order", 1), seed.Derive("dropout"),
        ];
        Assert.Equal(others.Length, others.Append(seed).Distinct().Count() - 1);
    }

    [Fact]
    public void The_scheme_does_not_change_under_checkpoints()
    {
        Assert.Equal(4890309614374121589UL, StepSeed.Of(42, "generalist", 17, "order").Value);
    }

    [Fact]
    public void Generators_of_equal_seeds_draw_equal_numbers()
    {
        using var scope = NewDisposeScope();
        using var first = StepSeed.Of(1, "a", 0, "b").NewGenerator();
        using var second = StepSeed.Of(1, "a", 0, "b").NewGenerator();
        Assert.True(rand([100], generator: first).eq(rand([100], generator: second)).all().item<bool>());
    }

    [Fact]
    public void A_dropout_mask_keeps_the_share_and_the_mean()
    {
        using var scope = NewDisposeScope();
        var mask = DropoutMask.Draw([1000, 203], 0.2, new StepSeed(5));
        Assert.Equal(0.2, mask.eq(0).to(ScalarType.Float32).mean().item<float>(), 0.005);
        Assert.Equal(1.0, mask.mean().item<float>(), 0.005);
        var neighbours = (mask.narrow(1, 0, 202).eq(0) & mask.narrow(1, 1, 202).eq(0)).to(ScalarType.Float32).mean().item<float>();
        Assert.Equal(0.04, neighbours, 0.003);
    }

    [Fact]
    public void The_vector_part_of_a_mask_equals_its_scalar_twin()
    {
        var whole = new float[64];
        DropoutMask.Fill(whole, 0.5, 77);
        for (var length = 1; length < 64; length++)
        {
            var part = new float[length];
            DropoutMask.Fill(part, 0.5, 77);
            Assert.Equal(whole[..length], part);
        }
    }
}
