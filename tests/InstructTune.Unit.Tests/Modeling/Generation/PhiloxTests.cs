using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Modeling.Generation;

public sealed class PhiloxTests
{
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void A_block_is_that_of_the_published_vectors(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), Philox.Block((c0, c1, c2, c3), (k0, k1)));

    [Theory]
    [InlineData(0UL, 0UL, 0u, 0.39904647231489565)]
    [InlineData(42UL, 0UL, 0u, 0.6129598801477738)]
    [InlineData(42UL, 1UL, 0u, 0.9877186516453577)]
    [InlineData(42UL, 0UL, 1u, 0.010058843540026619)]
    [InlineData(ulong.MaxValue, 7UL, 0u, 0.43019024845127973)]
    public void A_number_is_that_of_its_seed_index_and_choice(ulong seed, ulong index, uint choice, double expected) =>
        Assert.Equal(expected, Philox.Uniform(seed, index, choice));
}
