namespace InstructTune.Modeling.Quantization;

/// <summary>
/// Rows of int8 codes with one scale each: code = value * (127 / largest magnitude of the row), halves to even (LLM.int8). A row of zeros
/// has codes 0. Inputs may keep outliers apart: their columns are coded as zero and belong into a product of their own.
/// </summary>
/// <param name="Codes">Row by row.</param>
/// <param name="Absmax">One for each row.</param>
/// <param name="OutlierColumns">Columns that hold a magnitude at the threshold or above.</param>
public sealed record Int8Rows(sbyte[] Codes, float[] Absmax, int[] OutlierColumns)
{
    private const float LevelWidth = 1f / 127;

    /// <summary>Columns of a row.</summary>
    public int Width => Absmax.Length == 0 ? 0 : Codes.Length / Absmax.Length;

    /// <summary>Quantises rows.</summary>
    /// <param name="values">Row by row.</param>
    /// <param name="width">Columns of a row.</param>
    /// <param name="outlierThreshold">From which magnitude on a value is an outlier; 0 for none.</param>
    public static Int8Rows Quantize(ReadOnlySpan<float> values, int width, float outlierThreshold = 0)
    {
        var outliers = new bool[width];
        for (var i = 0; outlierThreshold > 0 && i < values.Length; i++)
        {
            outliers[i % width] |= MathF.Abs(values[i]) >= outlierThreshold;
        }

        var result = new Int8Rows(new sbyte[values.Length], new float[values.Length / width], [.. outliers.Index().Where(o => o.Item).Select(o => o.Index)]);
        for (var row = 0; row < result.Absmax.Length; row++)
        {
            var source = values.Slice(row * width, width);
            result.Absmax[row] = LargestBelow(source, outlierThreshold);
            var factor = result.Absmax[row] == 0 ? 0 : 127 / result.Absmax[row];
            for (var i = 0; i < width; i++)
            {
                result.Codes[(row * width) + i] = outliers[i] ? (sbyte)0 : (sbyte)MathF.Round(source[i] * factor, MidpointRounding.ToEven);
            }
        }

        return result;
    }

    /// <summary>The values that codes and scales stand for.</summary>
    public float[] Dequantize()
    {
        var values = new float[Codes.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Codes[i] * Absmax[i / Width] * LevelWidth;
        }

        return values;
    }

    /// <summary>The sums of products of these rows with rows of weights, in whole numbers.</summary>
    public int[] Multiply(Int8Rows weight)
    {
        var (rows, outputs, width) = (Absmax.Length, weight.Absmax.Length, Width);
        var sums = new int[rows * outputs];
        for (var i = 0; i < sums.Length; i++)
        {
            var x = Codes.AsSpan(i / outputs * width, width);
            var w = weight.Codes.AsSpan(i % outputs * width, width);
            for (var k = 0; k < width; k++)
            {
                sums[i] += x[k] * w[k];
            }
        }

        return sums;
    }

    /// <summary>The product that the whole numbers stand for, plus what the outliers of <paramref name="values"/> add.</summary>
    public float[] Product(Int8Rows weight, ReadOnlySpan<float> values)
    {
        var outputs = weight.Absmax.Length;
        var sums = Multiply(weight);
        var result = new float[sums.Length];
        for (var i = 0; i < sums.Length; i++)
        {
            var (row, output) = (i / outputs, i % outputs);
            result[i] = sums[i] * (Absmax[row] * weight.Absmax[output]) * (LevelWidth * LevelWidth);
            foreach (var column in OutlierColumns)
            {
                result[i] += values[(row * Width) + column] * (weight.Codes[(output * Width) + column] * weight.Absmax[output] * LevelWidth);
            }
        }

        return result;
    }

    private static float LargestBelow(ReadOnlySpan<float> values, float threshold)
    {
        var largest = 0f;
        foreach (var value in values)
        {
            var magnitude = MathF.Abs(value);
            largest = threshold > 0 && magnitude >= threshold ? largest : Math.Max(largest, magnitude);
        }

        return largest;
    }
}
