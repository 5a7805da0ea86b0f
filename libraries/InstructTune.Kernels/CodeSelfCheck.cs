namespace InstructTune.Kernels;

/// <summary>
/// Compares sums of codes with those of the scalar twins, for codes at the ends of their ranges: an instruction that no machine of ours has is
/// not used before it has been seen to do what its manual says.
/// </summary>
internal static unsafe class CodeSelfCheck
{
    private const int Rows = 4;
    private const int Inputs = ActivationRows.BlockColumns;

    // As bytes, so that the halves of each are codes of four bits as well.
    private static ReadOnlySpan<byte> WeightEnds => [0x80, 0x81, 0xFF, 0x00, 0x01, 0x7F];

    private static ReadOnlySpan<sbyte> ActivationEnds => [-127, -1, 0, 1, 127];

    public static bool Passes<TProducts>()
        where TProducts : struct, ICodeProducts
    {
        var weights = stackalloc byte[Int8Codes.Bytes];
        var codes = stackalloc sbyte[Rows * Inputs];
        for (var pair = 0; pair < WeightEnds.Length * ActivationEnds.Length; pair++)
        {
            // Either stays the same all over the block, for the greatest sums, or goes through all ends.
            foreach (var (weightStep, activationStep) in new[] { (0, 0), (0, 1), (1, 0), (1, 1) })
            {
                Fill(new Span<byte>(weights, Int8Codes.Bytes), WeightEnds, pair, weightStep);
                Fill(new Span<sbyte>(codes, Rows * Inputs), ActivationEnds, pair / WeightEnds.Length, activationStep);
                if (!Int8Agrees<TProducts>(weights, codes) || !Int4Agrees<TProducts>(weights, codes))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static void Fill<T>(Span<T> target, ReadOnlySpan<T> ends, int first, int step)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = ends[(first + (i * step)) % ends.Length];
        }
    }

    private static bool Int8Agrees<TProducts>(byte* weights, sbyte* codes)
        where TProducts : struct, ICodeProducts
    {
        Int8Codes.TileSums<TProducts>(weights, codes, codes + Inputs, codes + (2 * Inputs), codes + (3 * Inputs), out var s0, out var s1, out var s2, out var s3);
        return Int8Codes.BlockSum<TProducts>(weights, codes) == s0 && s0 == Int8Codes.ScalarBlockSum(weights, codes)
            && s1 == Int8Codes.ScalarBlockSum(weights, codes + Inputs) && s2 == Int8Codes.ScalarBlockSum(weights, codes + (2 * Inputs))
            && s3 == Int8Codes.ScalarBlockSum(weights, codes + (3 * Inputs));
    }

    private static bool Int4Agrees<TProducts>(byte* weights, sbyte* codes)
        where TProducts : struct, ICodeProducts
    {
        Int4Codes.TileSums<TProducts>(weights, codes, codes + Inputs, codes + (2 * Inputs), codes + (3 * Inputs), out var s0, out var s1, out var s2, out var s3);
        return Int4Codes.BlockSum<TProducts>(weights, codes) == s0 && s0 == Int4Codes.ScalarBlockSum(weights, codes)
            && s1 == Int4Codes.ScalarBlockSum(weights, codes + Inputs) && s2 == Int4Codes.ScalarBlockSum(weights, codes + (2 * Inputs))
            && s3 == Int4Codes.ScalarBlockSum(weights, codes + (3 * Inputs));
    }
}
