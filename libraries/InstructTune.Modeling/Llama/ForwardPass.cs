// Shape letters in this file:
//   R rows   I inputs   N query heads   K key/value heads   H width of one head

using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>What differs between training and serving while the same layers run over rows.</summary>
internal abstract class ForwardPass
{
    /// <summary>Angles of this pass's rows.</summary>
    public abstract Rotation Rotation { get; }

    /// <summary>Runs the linear layers of a group, adapters included; one result per part.</summary>
    public abstract Tensor[] Project(ProjectionGroup group, Tensor x_RI);

    /// <summary>Views rows as heads, in the shape that <see cref="Rotation"/> broadcasts over.</summary>
    public abstract Tensor SplitHeads(Tensor x_R, int heads);

    /// <summary>Causal attention; the result is rows of N * H.</summary>
    public abstract Tensor Attend(int layer, Tensor q_RNH, Tensor k_RKH, Tensor v_RKH);
}
