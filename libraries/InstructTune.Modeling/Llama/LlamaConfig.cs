namespace InstructTune.Modeling.Llama;

/// <summary>Families that run on the same code.</summary>
public enum ModelFamily
{
    /// <summary>LlamaForCausalLM.</summary>
    Llama,

    /// <summary>MistralForCausalLM: a sliding window on every layer.</summary>
    Mistral,

    /// <summary>Qwen2ForCausalLM: biases on queries, keys and values.</summary>
    Qwen2,

    /// <summary>Qwen3ForCausalLM: norms on each query and key head.</summary>
    Qwen3,
}

/// <summary>What config.json says about a model. Immutable; read and checked once, by <see cref="Parse"/>.</summary>
public sealed record LlamaConfig
{
    /// <summary>The family.</summary>
    public ModelFamily Family { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int ModelWidth { get; init; }

    /// <summary>Width of the feed-forward part.</summary>
    public required int FeedForwardWidth { get; init; }

    /// <summary>Number of layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>Number of key/value heads; divides <see cref="QueryHeads"/>.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of one head.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>The longest sequence the model was made for, in tokens.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>Added to the mean square before the root.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Rotary positions.</summary>
    public RotaryScaling Rotary { get; init; } = new();

    /// <summary>Whether the output head is the embedding.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether q_proj, k_proj and v_proj have a bias.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Whether o_proj has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>Whether gate_proj, up_proj and down_proj have a bias.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>How many tokens a windowed layer sees, itself included; null when no layer is windowed.</summary>
    public int? WindowTokens { get; init; }

    /// <summary>Layers that see the window only.</summary>
    public IReadOnlySet<int> WindowedLayers { get; init; } = new HashSet<int>();

    /// <summary>Token put before a text, if any.</summary>
    public int? BeginOfTextId { get; init; }

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EndOfTextIds { get; init; } = [];

    /// <summary>Standard deviation of new weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Element type the files were written in: float32, bfloat16 or float16.</summary>
    public string StorageType { get; init; } = "float32";

    /// <summary>Query heads that share one key/value head.</summary>
    public int GroupSize => QueryHeads / KeyValueHeads;

    /// <summary>Whether each query and key head has its own norm.</summary>
    public bool HeadNorms => Family == ModelFamily.Qwen3;

    /// <summary>Tokens that layer sees back, itself included; null for all.</summary>
    public int? WindowOf(int layer) => WindowedLayers.Contains(layer) ? WindowTokens : null;

    /// <summary>Reads config.json in the spelling of transformers 4 or 5. Refuses, by name, what this code would compute wrongly.</summary>
    /// <exception cref="Weights.ModelFormatException">A key is missing, malformed or asks for mathematics that is not here.</exception>
    public static LlamaConfig Parse(ReadOnlySpan<byte> json) => LlamaConfigReader.Read(json);

    /// <summary>config.json of a model that has none yet, in the spelling that transformers 4 and 5 both read.</summary>
    public byte[] ToJson() => LlamaConfigWriter.Write(this);
}
