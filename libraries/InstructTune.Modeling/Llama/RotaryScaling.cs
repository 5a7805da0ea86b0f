namespace InstructTune.Modeling.Llama;

/// <summary>How rotary frequencies are stretched beyond the original context.</summary>
public enum RotaryKind
{
    /// <summary>Not stretched.</summary>
    Default,

    /// <summary>All frequencies divided by the factor.</summary>
    Linear,

    /// <summary>The base grows with the current length.</summary>
    Dynamic,

    /// <summary>Low frequencies divided, high ones kept, the middle blended.</summary>
    Llama3,

    /// <summary>As Llama3 with a ramp over dimensions, and the scores scaled.</summary>
    Yarn,
}

/// <summary>The rotary part of a model's configuration.</summary>
public sealed record RotaryScaling
{
    /// <summary>The rule.</summary>
    public RotaryKind Kind { get; init; }

    /// <summary>Base of the wavelengths.</summary>
    public double Base { get; init; } = 10_000;

    /// <summary>How much longer the context became.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Context before stretching, in tokens.</summary>
    public int OriginalContextTokens { get; init; }

    /// <summary>Llama3: wavelengths above original / this are divided.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama3: wavelengths below original / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Yarn: rotations above which a dimension is kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Yarn: rotations below which a dimension is divided.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Yarn: weight of the logarithm in the attention factor; 0 when not given.</summary>
    public double Mscale { get; init; }

    /// <summary>Yarn: the same for all dimensions; 0 when not given.</summary>
    public double MscaleAllDimensions { get; init; }

    /// <summary>Yarn: an explicit attention factor.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>Yarn: whether the ramp's borders are whole dimensions.</summary>
    public bool Truncate { get; init; } = true;
}
