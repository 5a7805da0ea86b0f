namespace InstructTune.Trainer.FineTuning;

/// <summary>What a stage trains.</summary>
/// <param name="Lora">Null for weights of the model itself.</param>
/// <param name="Freeze">Which weights of the model; null for all.</param>
internal sealed record MethodSpec(LoraSpec? Lora, FreezeSpec? Freeze = null);

/// <summary>Some weights of the model; the rest stays as it is.</summary>
/// <param name="LastLayers">The last blocks.</param>
/// <param name="Modules">Names of modules, or regular expressions over their paths.</param>
internal sealed record FreezeSpec(int LastLayers, IReadOnlyList<string> Modules)
{
    public bool Equals(FreezeSpec? other) => other is not null && LastLayers == other.LastLayers && Modules.SequenceEqual(other.Modules, StringComparer.Ordinal);

    public override int GetHashCode() => HashCode.Combine(LastLayers, Modules.Count);
}

/// <summary>The number format of weights. The numbers are stored in jobs.</summary>
internal enum TrainingPrecision
{
    Float32 = 0,

    /// <summary>bfloat16, with float32 master copies of what is trained.</summary>
    Bfloat16 = 1,

    /// <summary>bfloat16 also of what is trained, which is rounded stochastically.</summary>
    PureBfloat16 = 2,
}

/// <summary>First values of an adapter. The numbers are stored in jobs.</summary>
internal enum LoraStartKind
{
    Kaiming = 0,
    Gaussian = 1,

    /// <summary>The principal part of the weights, which the base loses.</summary>
    Pissa = 2,
}

/// <summary>Low-rank adapters on frozen weights.</summary>
internal sealed record LoraSpec
{
    public int Rank { get; init; }

    public double Alpha { get; init; }

    public double Dropout { get; init; }

    public IReadOnlyList<string> TargetModules { get; init; } = [];

    public bool RankStabilized { get; init; }

    public bool WeightDecomposed { get; init; }

    public LoraStartKind Start { get; init; }

    /// <summary>Whether the linear weights of the base are kept in four bits while the adapter is trained (QLoRA).</summary>
    public bool QuantizesBase { get; init; }

    /// <summary>Whether the scales of four-bit blocks are float32, in place of eight-bit codes.</summary>
    public bool HasPlainScales { get; init; }

    /// <summary>The rate of B over that of A.</summary>
    public double BRateRatio { get; init; }
}
