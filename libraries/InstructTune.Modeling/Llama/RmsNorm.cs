// Shape letters in this file:
//   D width of what is normalised

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>Root mean square norm over the last dimension, in float32, then the weight: the order of Hugging Face.</summary>
internal static class RmsNorm
{
    public static Tensor Apply(Tensor x, Tensor weight_D, double epsilon)
    {
        using var scope = NewDisposeScope();
        var scale = (x * x).mean([-1], keepdim: true).add_(LivingScalar.Of(epsilon), LivingScalar.One).rsqrt_();
        return (x * scale).mul(weight_D).MoveToOuterDisposeScope();
    }
}
