namespace InstructTune.Modeling.Adapters;

/// <summary>What a LoRA adapter adds to a model: where, at what rank, how strongly.</summary>
public sealed record LoraConfig
{
    /// <summary>The linear layers of a block, in the order of Hugging Face: what "all-linear" means.</summary>
    public static IReadOnlyList<string> AllLinear { get; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>Rank of A and B.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Strength; the scale is alpha / rank.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Share of the adapter's inputs dropped in training.</summary>
    public double Dropout { get; init; }

    /// <summary>Modules by name or by the end of their path.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = ["q_proj", "v_proj"];

    /// <summary>A regular expression over whole paths, in place of <see cref="TargetModules"/>.</summary>
    public string? TargetPattern { get; init; }

    /// <summary>Modules left out although targeted.</summary>
    public IReadOnlyList<string> ExcludedModules { get; init; } = [];

    /// <summary>Layers that are adapted; all when empty.</summary>
    public IReadOnlyList<int> Layers { get; init; } = [];

    /// <summary>Ranks of modules whose path ends in a match of the key; the first match counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init; } = [];

    /// <summary>The same for alpha.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>Scale alpha / sqrt(rank).</summary>
    public bool UseRsLora { get; init; }

    /// <summary>Magnitude and direction apart (DoRA).</summary>
    public bool UseDora { get; init; }

    /// <summary>A bias beside B.</summary>
    public bool LoraBias { get; init; }

    /// <summary>Which biases of the base are trained.</summary>
    public BiasTraining Biases { get; init; }

    /// <summary>First values of A and B.</summary>
    public LoraStart Start { get; init; }

    /// <summary>Modules trained whole: embed_tokens, lm_head.</summary>
    public IReadOnlyList<string> SavedModules { get; init; } = [];

    /// <summary>Rows of the embedding trained on their own.</summary>
    public IReadOnlyList<int> TrainableTokens { get; init; } = [];

    /// <summary>The base model as the adapter's author named it.</summary>
    public string? BaseModelName { get; init; }

    /// <summary>Whether it is A and B on the linear layers of blocks and nothing else: the adapters that can be combined by weights.</summary>
    public bool IsPlain => CombinationObstacle is null;

    /// <summary>Why it is more than that; null when it is not.</summary>
    public string? CombinationObstacle => SharingObstacle ?? (UseDora ? "use_dora" : null);

    /// <summary>Why rows of other adapters cannot share the base with this one; null when they can.</summary>
    public string? SharingObstacle =>
        LoraBias ? "lora_bias"
        : Biases != BiasTraining.None ? "bias"
        : SavedModules.Count > 0 ? "modules_to_save"
        : TrainableTokens.Count > 0 ? "trainable_token_indices"
        : Start == LoraStart.Pissa ? "init_lora_weights"
        : ModuleMatch.Targets(this, AdapterPlan.Embedding) || ModuleMatch.Targets(this, AdapterPlan.Head) ? "target_modules"
        : null;

    /// <summary>Rank of a module.</summary>
    public int RankOf(string path) => ModuleMatch.First(RankPattern, path) ?? Rank;

    /// <summary>Scale of a module: alpha / rank, or with rsLoRA alpha / sqrt(rank).</summary>
    public double ScaleOf(string path)
    {
        var alpha = ModuleMatch.First(AlphaPattern, path) ?? Alpha;
        var rank = RankOf(path);
        return UseRsLora ? alpha / Math.Sqrt(rank) : alpha / rank;
    }
}
