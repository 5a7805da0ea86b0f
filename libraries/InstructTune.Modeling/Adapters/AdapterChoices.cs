namespace InstructTune.Modeling.Adapters;

/// <summary>Which biases of the base an adapter trains, and replaces.</summary>
public enum BiasTraining
{
    /// <summary>None.</summary>
    None,

    /// <summary>Those of the modules it targets.</summary>
    TargetsOnly,

    /// <summary>Those of every linear layer.</summary>
    All,
}

/// <summary>First values of A and B.</summary>
public enum LoraStart
{
    /// <summary>A uniform, B zero.</summary>
    Uniform,

    /// <summary>A normal with deviation 1 / rank, B zero.</summary>
    Gaussian,

    /// <summary>
    /// The principal part of the base weight (PiSSA, arXiv 2404.02948); the base keeps the rest. Such an adapter fits its own residual base
    /// only, until <see cref="PissaConversion"/> has made an ordinary one of it.
    /// </summary>
    Pissa,
}
