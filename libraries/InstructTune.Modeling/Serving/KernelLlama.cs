using InstructTune.Kernels;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Serving;

/// <summary>
/// A LLaMA-family model on our own kernels, for serving on a CPU: no gradients, no libtorch while it runs. The bits of a row depend on its own
/// sequence only. <see cref="KernelModelFolder"/> loads it.
/// </summary>
public sealed class KernelLlama : IDisposable
{
    internal KernelLlama(LlamaConfig config, IReadOnlyList<KernelLayer> layers, AlignedBuffer<float> norm, KernelMatrix embedding, KernelMatrix head)
    {
        (Config, Layers, Norm, Embedding, Head) = (config, layers, norm, embedding, head);
        SizeBytes = layers.Sum(layer => layer.Linears.Sum(linear => linear.SizeBytes)) + embedding.SizeBytes + (head == embedding ? 0 : head.SizeBytes);
        Frequencies = RotaryFrequencies.Compute(config.Rotary, config.HeadWidth, config.ContextTokens);
        RotaryFactor = RotaryFrequencies.AttentionFactor(config.Rotary);
    }

    /// <summary>Shapes.</summary>
    public LlamaConfig Config { get; }

    /// <summary>Bytes of the matrices.</summary>
    public long SizeBytes { get; }

    /// <summary>Weights of the matrices.</summary>
    public long WeightCount => Layers.Sum(layer => layer.Linears.Sum(linear => (long)linear.Weight.Outputs * linear.Weight.Inputs))
        + ((long)Embedding.Outputs * Embedding.Inputs * (Head == Embedding ? 1 : 2));

    internal IReadOnlyList<KernelLayer> Layers { get; }

    internal AlignedBuffer<float> Norm { get; }

    internal KernelMatrix Embedding { get; }

    /// <summary>The embedding itself where it is tied.</summary>
    internal KernelMatrix Head { get; }

    /// <summary>Whether matrices read the int8 form of activations.</summary>
    internal bool ReadsCodes => Head.ReadsCodes;

    internal float[] Frequencies { get; }

    internal float RotaryFactor { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Layers)
        {
            layer.Dispose();
        }

        Norm.Dispose();
        Embedding.Dispose();
        Head.Dispose();
    }
}
