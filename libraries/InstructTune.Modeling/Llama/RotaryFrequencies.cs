namespace InstructTune.Modeling.Llama;

/// <summary>Inverse frequencies as Hugging Face computes them. Pure; float64 inside, float32 out.</summary>
internal static class RotaryFrequencies
{
    /// <summary>One value per rotated pair for a sequence that now has <paramref name="lengthTokens"/> tokens.</summary>
    public static float[] Compute(RotaryScaling scaling, int headWidth, int lengthTokens)
    {
        return scaling.Kind switch
        {
            RotaryKind.Linear => Plain(scaling.Base, headWidth, scaling.Factor),
            RotaryKind.Dynamic => Plain(DynamicBase(scaling, headWidth, lengthTokens), headWidth, 1),
            RotaryKind.Llama3 => Llama3(scaling, headWidth),
            RotaryKind.Yarn => Yarn(scaling, headWidth),
            _ => Plain(scaling.Base, headWidth, 1),
        };
    }

    /// <summary>The factor on sine and cosine; scores get its square.</summary>
    public static float AttentionFactor(RotaryScaling scaling)
    {
        if (scaling.Kind != RotaryKind.Yarn)
        {
            return 1;
        }

        if (scaling.AttentionFactor is { } given)
        {
            return (float)given;
        }

        return scaling.Mscale != 0 && scaling.MscaleAllDimensions != 0
            ? (float)(Stretch(scaling.Factor, scaling.Mscale) / Stretch(scaling.Factor, scaling.MscaleAllDimensions))
            : (float)Stretch(scaling.Factor, 1);
    }

    private static double Stretch(double factor, double weight) => factor <= 1 ? 1 : 1 + (0.1 * weight * Math.Log(factor));

    private static double DynamicBase(RotaryScaling scaling, int headWidth, int lengthTokens)
    {
        if (lengthTokens <= scaling.OriginalContextTokens)
        {
            return scaling.Base;
        }

        var growth = (scaling.Factor * lengthTokens / scaling.OriginalContextTokens) - (scaling.Factor - 1);
        return scaling.Base * Math.Pow(growth, headWidth / (headWidth - 2.0));
    }

    private static float[] Plain(double rotaryBase, int headWidth, double divisor) =>
        Pairs(headWidth, i => 1 / (Math.Pow(rotaryBase, 2.0 * i / headWidth) * divisor));

    private static float[] Llama3(RotaryScaling s, int headWidth)
    {
        var longest = s.OriginalContextTokens / s.LowFrequencyFactor;
        var shortest = s.OriginalContextTokens / s.HighFrequencyFactor;
        return Pairs(headWidth, i =>
        {
            var frequency = 1 / Math.Pow(s.Base, 2.0 * i / headWidth);
            var wavelength = 2 * Math.PI / frequency;
            if (wavelength < shortest)
            {
                return frequency;
            }

            if (wavelength > longest)
            {
                return frequency / s.Factor;
            }

            var keep = ((s.OriginalContextTokens / wavelength) - s.LowFrequencyFactor) / (s.HighFrequencyFactor - s.LowFrequencyFactor);
            return ((1 - keep) * frequency / s.Factor) + (keep * frequency);
        });
    }

    private static float[] Yarn(RotaryScaling s, int headWidth)
    {
        double Dimension(double rotations) =>
            headWidth * Math.Log(s.OriginalContextTokens / (rotations * 2 * Math.PI)) / (2 * Math.Log(s.Base));

        var low = Dimension(s.BetaFast);
        var high = Dimension(s.BetaSlow);
        if (s.Truncate)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        low = Math.Max(low, 0);
        high = Math.Min(high, headWidth - 1);
        var width = low == high ? 0.001 : high - low;
        return Pairs(headWidth, i =>
        {
            var kept = 1 / Math.Pow(s.Base, 2.0 * i / headWidth);
            var divide = Math.Clamp((i - low) / width, 0, 1);
            return (kept / s.Factor * divide) + (kept * (1 - divide));
        });
    }

    private static float[] Pairs(int headWidth, Func<int, double> frequency)
    {
        var result = new float[headWidth / 2];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = (float)frequency(i);
        }

        return result;
    }
}
