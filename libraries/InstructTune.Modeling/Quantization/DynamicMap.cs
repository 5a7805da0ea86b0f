namespace InstructTune.Modeling.Quantization;

/// <summary>
/// The 256 levels of bitsandbytes' dynamic eight-bit type: seven decades, each with twice the levels of the one below, and 0 and 1. The
/// bits are those of torch.linspace where it runs without vectors; other machines differ in last places, so a stored map is used as stored.
/// </summary>
public static class DynamicMap
{
    private static readonly float[] s_signed = Make(signed: true);
    private static readonly float[] s_unsigned = Make(signed: false);

    /// <summary>From -1 to 1.</summary>
    public static ReadOnlySpan<float> Signed => s_signed;

    /// <summary>From 0 to 1.</summary>
    public static ReadOnlySpan<float> Unsigned => s_unsigned;

    private static float[] Make(bool signed)
    {
        var levels = new List<float> { 0, 1 };
        for (var decade = 0; decade < 7; decade++)
        {
            var borders = Spread(signed ? (1 << decade) + 1 : (2 << decade) + 1);
            var factor = (float)Math.Pow(10, decade - 6);
            for (var i = 0; i + 1 < borders.Length; i++)
            {
                var level = factor * ((borders[i] + borders[i + 1]) / 2);
                levels.Add(level);
                if (signed)
                {
                    levels.Add(-level);
                }
            }
        }

        levels.Sort();
        return [.. levels];
    }

    // torch.linspace(0.1, 1, count): counted from the nearer end.
    private static float[] Spread(int count)
    {
        const float first = 0.1f;
        var step = (1 - first) / (count - 1);
        return [.. Enumerable.Range(0, count).Select(i =>
            i < count / 2 ? float.FusedMultiplyAdd(step, i, first) : float.FusedMultiplyAdd(-step, count - i - 1, 1))];
    }
}
