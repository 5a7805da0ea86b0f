namespace InstructTune.Modeling.Llama;

/// <summary>How the weights of a frozen model are kept in memory. Sums, norms, angles, scores and the stream are float32 in all of them.</summary>
public enum BaseFormat
{
    /// <summary>float32: the only one whose weights can be trained.</summary>
    Fp32,

    /// <summary>
    /// Matrices in bfloat16, 2 bytes a weight. Products take the rounded weights and sum in float32; norms and biases stay float32.
    /// </summary>
    Bf16,

    /// <summary>
    /// Linear layers in NF4 with double quantisation, 0.516 bytes a weight, as bitsandbytes; products read what the codes stand for, in
    /// float32. Embedding and output head are kept in the type that config.json names, bfloat16 or else float32.
    /// </summary>
    Nf4,

    /// <summary>As <see cref="Nf4"/>, with the scales of blocks in float32: 0.5625 bytes a weight.</summary>
    Nf4PlainScales,
}
