namespace InstructTune.Modeling.Training;

/// <summary>Which rule turns gradients into updates, and its constants.</summary>
/// <param name="WeightDecay">Never on biases and norms. Decoupled from the gradient, but for <see cref="SgdSettings"/>.</param>
public abstract record OptimizerSettings(double WeightDecay);

/// <summary>The constants of AdamW.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of their squares.</param>
/// <param name="Epsilon">Added outside the corrected root.</param>
/// <param name="WeightDecay">Decoupled.</param>
public sealed record AdamWSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0) : OptimizerSettings(WeightDecay);

/// <summary>The constants of AdamW with moments in eight-bit codes.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of their squares.</param>
/// <param name="Epsilon">Added outside the corrected root.</param>
/// <param name="WeightDecay">Decoupled; applied after the update.</param>
public sealed record AdamW8BitSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0)
    : OptimizerSettings(WeightDecay)
{
    /// <summary>Levels of the mean; null for <see cref="Quantization.DynamicMap.Signed"/>.</summary>
    public IReadOnlyList<float>? SignedMap { get; init; }

    /// <summary>Levels of the mean square; null for <see cref="Quantization.DynamicMap.Unsigned"/>.</summary>
    public IReadOnlyList<float>? UnsignedMap { get; init; }
}

/// <summary>The constants of Adafactor (arXiv 1804.04235).</summary>
/// <param name="Epsilon">Added to squared gradients.</param>
/// <param name="ClipThreshold">Greatest root mean square of an update before the rate.</param>
/// <param name="DecayRate">The mean of squares at step t decays by 1 - t^this.</param>
/// <param name="Beta1">Decay of the mean of updates; null for none, which saves its memory.</param>
/// <param name="WeightDecay">Decoupled, times the weight's own rate.</param>
public sealed record AdafactorSettings(
    double Epsilon = 1e-30, double ClipThreshold = 1, double DecayRate = -0.8, double? Beta1 = null, double WeightDecay = 0)
    : OptimizerSettings(WeightDecay)
{
    /// <summary>Multiply the rate by the root mean square of the weight, at least <see cref="LeastScale"/>.</summary>
    public bool ScalesByWeight { get; init; }

    /// <summary>Use min(<see cref="RelativeLimit"/>, 1/sqrt(t)) in place of the rate that is given.</summary>
    public bool UsesRelativeRate { get; init; }

    /// <summary>With a relative rate: rise by 1e-6 a step instead of starting at the limit of 1e-2.</summary>
    public bool WarmsUp { get; init; }

    /// <summary>The least scale a weight counts with.</summary>
    public double LeastScale { get; init; } = 1e-3;

    internal double RelativeLimit(long step) => Math.Min(WarmsUp ? 1e-6 * step : 1e-2, 1 / Math.Sqrt(step));
}

/// <summary>The constants of Lion (arXiv 2302.06675).</summary>
/// <param name="Beta1">Weight of the moment in the update, whose sign is taken.</param>
/// <param name="Beta2">Decay of the moment.</param>
/// <param name="WeightDecay">Decoupled.</param>
public sealed record LionSettings(double Beta1 = 0.9, double Beta2 = 0.99, double WeightDecay = 0) : OptimizerSettings(WeightDecay);

/// <summary>The constants of stochastic gradient descent.</summary>
/// <param name="Momentum">Decay of the moment; 0 for none.</param>
/// <param name="Dampening">Share of the gradient that does not enter the moment.</param>
/// <param name="IsNesterov">Look one step ahead.</param>
/// <param name="WeightDecay">Added to the gradient, as torch does it; not decoupled.</param>
public sealed record SgdSettings(double Momentum = 0, double Dampening = 0, bool IsNesterov = false, double WeightDecay = 0)
    : OptimizerSettings(WeightDecay);
