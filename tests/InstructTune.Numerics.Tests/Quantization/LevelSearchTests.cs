using CsCheck;
using InstructTune.Modeling.Quantization;

namespace InstructTune.Numerics.Tests.Quantization;

public sealed class LevelSearchTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_code_is_that_of_the_nearest_level_and_of_two_equally_near_the_lower(bool isSigned)
    {
        var map = (isSigned ? DynamicMap.Signed : DynamicMap.Unsigned).ToArray();
        var search = new LevelSearch(map);

        // Values of every size, and the borders between levels with their neighbours.
        Gen.OneOf(Gen.Float[-1, 1], Gen.Select(Gen.Float[-1, 1], Gen.Int[-40, 0], (value, power) => value * MathF.Pow(2, power)))
            .Sample(value => Assert.Equal(Slowly(map, value), search.CodeOf(value)), iter: 20_000);
        for (var i = 0; i + 1 < map.Length; i++)
        {
            var border = (map[i] + map[i + 1]) / 2;
            Assert.Equal(i, search.CodeOf(border));
            Assert.Equal(i + 1, search.CodeOf(MathF.BitIncrement(border)));
            Assert.Equal(i, search.CodeOf(map[i]));
        }
    }

    [Fact]
    public void What_is_no_number_and_what_lies_outside_have_a_code_too()
    {
        var search = new LevelSearch(DynamicMap.Signed);
        Assert.Equal(0, search.CodeOf(float.NaN));
        Assert.Equal(0, search.CodeOf(float.NegativeInfinity));
        Assert.Equal(255, search.CodeOf(float.PositiveInfinity));
        Assert.Equal(255, search.CodeOf(2));
    }

    private static int Slowly(float[] map, float value)
    {
        var code = 0;
        while (code + 1 < map.Length && (map[code] + map[code + 1]) / 2 < value)
        {
            code++;
        }

        return code;
    }
}
