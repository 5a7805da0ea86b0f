using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>Global gradient norm and clipping, as torch does them.</summary>
public static class GradientClip
{
    // Keeps the quotient finite for a norm of 0; torch's constant.
    private const double Epsilon = 1e-6;

    /// <summary>
    /// The 2-norm over all gradients together, before <c>g *= min(1, max / (norm + 1e-6))</c>, which is done unless
    /// <paramref name="maxNorm"/> is null.
    /// </summary>
    public static double Apply(Tensor[] gradients, double? maxNorm)
    {
        if (gradients.Length == 0)
        {
            return 0;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var norm = TensorListScripts.Norm(gradients);
        if (maxNorm is { } max)
        {
            TensorListScripts.Scale(
                gradients, norm.add(LivingScalar.Of(Epsilon), LivingScalar.One).reciprocal().mul(LivingScalar.Of(max)).clamp(max: LivingScalar.One));
        }

        return norm.to_type(ScalarType.Float64).item<double>();
    }
}
