using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace InstructTune.Modeling.Generation;

/// <summary>One look over a row of logits, eight at a time.</summary>
internal static class LogitScan
{
    /// <summary>The greatest, of equals the lowest id.</summary>
    /// <exception cref="NonFiniteLogitsException">The row holds NaN or +infinity.</exception>
    public static int IndexOfBest(ReadOnlySpan<float> logits_V)
    {
        var best = Best(logits_V);
        var sought = Vector256.Create(best);
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(logits_V);
        var i = 0;
        while (i < vectors.Length && !Vector256.EqualsAny(vectors[i], sought))
        {
            i++;
        }

        var id = i * Vector256<float>.Count;
        while (logits_V[id] != best)
        {
            id++;
        }

        return id;
    }

    private static float Best(ReadOnlySpan<float> logits_V)
    {
        var most = Vector256.Create(float.MaxValue);
        var (best, allNumbers) = (Vector256.Create(float.NegativeInfinity), Vector256<float>.AllBitsSet);
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(logits_V);
        foreach (var values in vectors)
        {
            best = Vector256.MaxNative(best, values);
            // False of NaN as well, which a maximum may lose.
            allNumbers &= Vector256.LessThanOrEqual(values, most);
        }

        // Before any call: a vector that is needed after one is kept in memory, also all through the loop.
        var scalar = Greatest(best);
        if (!Vector256.EqualsAll(allNumbers.AsInt32(), Vector256<int>.AllBitsSet))
        {
            Refuse(logits_V);
        }

        var rest = logits_V[(vectors.Length * Vector256<float>.Count)..];
        Refuse(rest, logits_V.Length - rest.Length);
        foreach (var logit in rest)
        {
            scalar = MathF.Max(scalar, logit);
        }

        return scalar;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Greatest(Vector256<float> values)
    {
        var four = Vector128.MaxNative(values.GetLower(), values.GetUpper());
        var two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(two[0], two[1]);
    }

    /// <summary>Names the first that is no number below infinity, if there is one.</summary>
    internal static void Refuse(ReadOnlySpan<float> logits_V, int firstId = 0)
    {
        for (var i = 0; i < logits_V.Length; i++)
        {
            if (!(logits_V[i] <= float.MaxValue))
            {
                throw new NonFiniteLogitsException($"The logit of token {firstId + i} is {logits_V[i]}.");
            }
        }
    }
}
