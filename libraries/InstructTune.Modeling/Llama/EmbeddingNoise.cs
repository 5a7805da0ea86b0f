// Shape letters in this file:
//   R = B * T rows   D model width

using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// NEFTune (arXiv 2310.05914): uniform noise of at most alpha / sqrt(L D) on embeddings, in training only. L is the length of the longest row of the optimizer
/// step, as in Hugging Face's trainer where a step is one padded batch; of a packed row each example has its own.
/// </summary>
/// <param name="Alpha">Strength; 5 to 15 are usual.</param>
/// <param name="Seed">The stream.</param>
public sealed record EmbeddingNoise(double Alpha, StepSeed Seed)
{
    /// <summary>Embeddings with noise on them.</summary>
    internal Tensor Add(Tensor x_RD, long rowTokens, StepPlace place, IReadOnlyList<IReadOnlyList<(int From, int Count)>>? segments)
    {
        var width = x_RD.size(1);
        var noise_RD = UniformNoise.Draw(x_RD.size(0), width, new RowSeeds(Seed, place.FirstRow, rowTokens));
        if (segments is null)
        {
            return x_RD.add(noise_RD, LivingScalar.Of(Bound(place.LongestRow, width)));
        }

        var bounds = segments.SelectMany(row => row).SelectMany(piece => Enumerable.Repeat((float)Bound(piece.Count, width), piece.Count)).ToArray();
        return x_RD.add(noise_RD.mul_(tensor(bounds).unsqueeze(1)), LivingScalar.One);
    }

    /// <summary>The greatest size of the noise.</summary>
    internal double Bound(long tokens, long width) => Alpha / Math.Sqrt((double)tokens * width);
}
