namespace InstructTune.Modeling.Quantization;

/// <summary>The two sets of sixteen levels that bitsandbytes knows.</summary>
public enum FourBitKind
{
    /// <summary>Quantiles of a normal distribution, denser near zero (QLoRA, appendix E).</summary>
    Nf4,

    /// <summary>A four-bit floating-point number: sign, two exponent bits, one of mantissa.</summary>
    Fp4,
}

/// <summary>Four-bit codes and the levels from -1 to 1 that they stand for.</summary>
public static class FourBitCode
{
    private static readonly float[] s_nf4 =
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f,
        -0.09105003625154495f, 0.0f, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    // Twelfths, as the format has them; the code's high bit is the sign, so code 8 is a second zero.
    private static readonly float[] s_fp4 =
    [
        0f, 1f / 192, 8f / 12, 1f, 4f / 12, 6f / 12, 2f / 12, 3f / 12, 0f, -1f / 192, -8f / 12, -1f, -4f / 12, -6f / 12, -2f / 12, -3f / 12,
    ];

    // FP4's codes by rising level: of the two zeros, 0 is for what is not above zero.
    private static readonly byte[] s_fp4Ascending = [11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3];

    private static readonly float[] s_nf4Borders = [.. Enumerable.Range(0, 15).Select(i => (s_nf4[i] + s_nf4[i + 1]) / 2)];
    private static readonly float[] s_fp4Borders =
        [.. Enumerable.Range(0, 15).Select(i => (s_fp4[s_fp4Ascending[i]] + s_fp4[s_fp4Ascending[i + 1]]) / 2)];

    /// <summary>The sixteen levels by code.</summary>
    public static ReadOnlySpan<float> Levels(FourBitKind kind) => kind == FourBitKind.Nf4 ? s_nf4 : s_fp4;

    /// <summary>Midpoints between neighbouring NF4 levels: a value's code is the number of those strictly below it.</summary>
    internal static ReadOnlySpan<float> Borders => s_nf4Borders;

    /// <summary>The code of the nearest level; of two equally near, the lower level.</summary>
    public static byte Encode(FourBitKind kind, float scaled)
    {
        byte place = 0;
        foreach (var border in kind == FourBitKind.Nf4 ? s_nf4Borders : s_fp4Borders)
        {
            place += border < scaled ? (byte)1 : (byte)0;
        }

        return kind == FourBitKind.Nf4 ? place : s_fp4Ascending[place];
    }
}
