using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.LoadFigures;

/// <summary>A model folder of a shape: random numbers, or holes that read as zeros and take no room on the disk.</summary>
internal static class ShapedFolder
{
    /// <summary>Writes the folder and returns the bytes of its weights.</summary>
    public static long Write(string folder, LlamaConfig config, bool isSparse)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceFolder.WriteFile(Path.Combine(folder, "config.json"), config.ToJson());
        var sources = WeightPlan.Of(config)
            .Select(weight => new TensorSource(weight.Name, ScalarType.BFloat16, weight.Shape, _ => { }))
            .Select(source => source with { WriteTo = stream => Fill(stream, source.SizeBytes, isSparse) })
            .ToList();
        HuggingFaceFolder.WriteWeights(folder, sources, HuggingFaceFolder.DefaultShardSizeBytes);
        return sources.Sum(s => s.SizeBytes);
    }

    private static void Fill(Stream stream, long sizeBytes, bool isSparse)
    {
        if (isSparse)
        {
            stream.SetLength(stream.Position + sizeBytes);
            stream.Seek(sizeBytes, SeekOrigin.Current);
            return;
        }

        var buffer = new byte[1 << 20];
        var random = new Random(1);
        for (var left = sizeBytes; left > 0; left -= buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, left));
            random.NextBytes(piece);
            for (var i = 1; i < piece.Length; i += 2)
            {
                // Magnitudes of weights: the exponent of a bfloat16 is in its upper byte.
                piece[i] = (byte)((piece[i] & 0x81) | 0x3C);
            }

            stream.Write(piece);
        }
    }
}
