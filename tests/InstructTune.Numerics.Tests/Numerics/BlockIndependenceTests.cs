using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Numerics;

public sealed class BlockIndependenceTests
{
    [Fact]
    public void Whole_blocks_have_the_same_bits_in_every_company_on_this_processor() => Assert.True(BlockIndependence.Holds);

    [Fact]
    public void A_product_that_rounds_by_the_number_of_rows_is_found() => Assert.False(BlockIndependence.Check(
        static (x_MI, w_OI) => nn.functional.linear(x_MI, w_OI) * (1 + (x_MI.size(0) * 1e-7))));

    [Fact]
    public void A_product_that_looks_at_its_neighbours_is_found() => Assert.False(BlockIndependence.Check(
        static (x_MI, w_OI) => nn.functional.linear(x_MI, w_OI) + (x_MI.sum() * 1e-6)));
}
