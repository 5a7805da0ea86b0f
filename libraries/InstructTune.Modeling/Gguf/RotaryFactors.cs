using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Gguf;

/// <summary>
/// The divisors of the rotary frequencies (rope_freqs.weight): what a configuration gives, and which configuration gives them. Only the
/// rule of Llama 3 is ever written so; its parameters are found again, because config.json names the rule and not the divisors.
/// </summary>
internal static class RotaryFactors
{
    private const double Tolerance = 3e-6;

    /// <summary>The divisors that the rule of Llama 3 gives, in float64 and rounded once.</summary>
    public static float[] Of(RotaryScaling scaling, int headWidth) =>
        [.. Enumerable.Range(0, headWidth / 2).Select(i => (float)Divisor(scaling, 2 * Math.PI * Math.Pow(scaling.Base, 2.0 * i / headWidth)))];

    /// <summary>A configuration that gives these divisors.</summary>
    public static RotaryScaling Fit(GgufMetadata metadata, float[] factors, double rotaryBase, int headWidth, int contextTokens)
    {
        if (factors.All(f => f == 1))
        {
            return new RotaryScaling { Base = rotaryBase, OriginalContextTokens = contextTokens };
        }

        // First the parameters that models have, with contexts of powers of two; then whatever two blended frequencies determine.
        var most = (double)factors.Max();
        var common = Enumerable.Range(13, 12).Concat(Enumerable.Range(4, 9).Reverse()).Select(power => new RotaryScaling
        {
            Kind = RotaryKind.Llama3,
            Base = rotaryBase,
            Factor = most,
            LowFrequencyFactor = 1,
            HighFrequencyFactor = 4,
            OriginalContextTokens = 1 << power,
        });
        return common.Append(Solve(factors, most, rotaryBase, headWidth)).FirstOrDefault(s => s is not null && Gives(s, factors, headWidth))
            ?? throw metadata.Fault(GgufNames.RotaryFactors, "its divisors do not follow the rule of Llama 3; no other is supported");
    }

    private static bool Gives(RotaryScaling scaling, float[] factors, int headWidth) =>
        Of(scaling, headWidth).Zip(factors).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance * pair.Second);

    // The share kept of a blended frequency f is (original * f / 2 pi - low) / (high - low): a line in f, fixed by two of them.
    private static RotaryScaling? Solve(float[] factors, double most, double rotaryBase, int headWidth)
    {
        var blended = Enumerable.Range(0, factors.Length).Where(i => factors[i] > 1 + Tolerance && factors[i] < most * (1 - Tolerance)).ToList();
        if (blended.Count < 2)
        {
            return null;
        }

        double Turns(int i) => 1 / Math.Pow(rotaryBase, 2.0 * i / headWidth) / (2 * Math.PI);
        double Share(int i) => ((1 / (double)factors[i]) - (1 / most)) / (1 - (1 / most));
        var (first, last) = (blended[0], blended[^1]);
        var slope = (Share(first) - Share(last)) / (Turns(first) - Turns(last));
        var level = (slope * Turns(first)) - Share(first);
        var original = Math.Round(slope / level);
        if (slope <= 0 || level <= 0 || original is < 1 or > int.MaxValue)
        {
            return null;
        }

        var width = original / slope;
        return new RotaryScaling
        {
            Kind = RotaryKind.Llama3,
            Base = rotaryBase,
            Factor = most,
            LowFrequencyFactor = level * width,
            HighFrequencyFactor = (level + 1) * width,
            OriginalContextTokens = (int)original,
        };
    }

    private static double Divisor(RotaryScaling scaling, double wavelength)
    {
        if (wavelength < scaling.OriginalContextTokens / scaling.HighFrequencyFactor)
        {
            return 1;
        }

        if (wavelength > scaling.OriginalContextTokens / scaling.LowFrequencyFactor)
        {
            return scaling.Factor;
        }

        var kept = ((scaling.OriginalContextTokens / wavelength) - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return 1 / (((1 - kept) / scaling.Factor) + kept);
    }
}
