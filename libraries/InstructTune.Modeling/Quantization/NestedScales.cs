using TorchSharp;

namespace InstructTune.Modeling.Quantization;

/// <summary>
/// The scales of four-bit blocks, themselves in eight bits: their mean apart, the rest as codes into the signed dynamic map (double
/// quantisation). Arithmetic is float32, in the order of bitsandbytes.
/// </summary>
/// <param name="Codes">One for each block.</param>
/// <param name="Absmax">One for every 256 codes.</param>
/// <param name="Offset">The mean.</param>
/// <param name="Map">The levels of the codes.</param>
internal sealed record NestedScales(byte[] Codes, float[] Absmax, float Offset, float[] Map)
{
    public static NestedScales Of(ReadOnlySpan<float> scales)
    {
        var offset = Mean(scales);
        var rest = new float[scales.Length];
        for (var i = 0; i < rest.Length; i++)
        {
            rest[i] = scales[i] - offset;
        }

        var result = new NestedScales(
            new byte[scales.Length], new float[(scales.Length + EightBitBlocks.BlockSize - 1) / EightBitBlocks.BlockSize], offset, DynamicMap.Signed.ToArray());
        EightBitBlocks.Quantize(rest, new LevelSearch(result.Map), result.Codes, result.Absmax);
        return result;
    }

    // libtorch adds few numbers on one thread, in the order that bitsandbytes gets; for many, the order would depend on the threads.
    private static float Mean(ReadOnlySpan<float> scales)
    {
        const int fewest = 32768;
        if (scales.Length < fewest)
        {
            using var values = torch.tensor(scales.ToArray());
            using var mean = values.mean();
            return mean.item<float>();
        }

        var sum = 0.0;
        foreach (var scale in scales)
        {
            sum += scale;
        }

        return (float)(sum / scales.Length);
    }

    /// <summary>The scale of a block.</summary>
    public float this[int block] => (Map[Codes[block]] * Absmax[block / EightBitBlocks.BlockSize]) + Offset;
}
