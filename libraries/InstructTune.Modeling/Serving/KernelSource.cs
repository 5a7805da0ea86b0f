using InstructTune.Kernels;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Serving;

/// <summary>Where the weights of a model come from, under their names in Hugging Face. No tensor of libtorch is made on the way.</summary>
internal abstract class KernelSource(LlamaConfig config) : IDisposable
{
    private const string EmbeddingName = "model.embed_tokens.weight";

    private int _linears;

    public LlamaConfig Config => config;

    /// <summary>Packs a matrix.</summary>
    public abstract KernelMatrix Matrix(string name, int outputs, int inputs);

    /// <summary>Reads a vector in float32.</summary>
    public abstract AlignedBuffer<float> Vector(string name, int length);

    public abstract void Dispose();

    /// <summary>The whole model.</summary>
    public KernelLlama Build()
    {
        var layers = Enumerable.Range(0, config.LayerCount).Select(Layer).ToArray();
        var embedding = Matrix(EmbeddingName, config.VocabularySize, config.ModelWidth);
        var head = config.TiedEmbeddings ? embedding : Matrix("lm_head.weight", config.VocabularySize, config.ModelWidth);
        return new KernelLlama(config, layers, Vector("model.norm.weight", config.ModelWidth), embedding, head);
    }

    private KernelLayer Layer(int index)
    {
        var prefix = $"model.layers.{index}.";
        var (heads, keyValue) = (config.QueryHeads * config.HeadWidth, config.KeyValueHeads * config.HeadWidth);
        return new KernelLayer
        {
            AttentionNorm = Vector(prefix + "input_layernorm.weight", config.ModelWidth),
            Query = Linear(prefix + "self_attn.q_proj", heads, config.ModelWidth, config.QueryKeyValueBias),
            Key = Linear(prefix + "self_attn.k_proj", keyValue, config.ModelWidth, config.QueryKeyValueBias),
            Value = Linear(prefix + "self_attn.v_proj", keyValue, config.ModelWidth, config.QueryKeyValueBias),
            QueryNorm = config.HeadNorms ? Vector(prefix + "self_attn.q_norm.weight", config.HeadWidth) : null,
            KeyNorm = config.HeadNorms ? Vector(prefix + "self_attn.k_norm.weight", config.HeadWidth) : null,
            AttentionOutput = Linear(prefix + "self_attn.o_proj", config.ModelWidth, heads, config.AttentionOutputBias),
            FeedForwardNorm = Vector(prefix + "post_attention_layernorm.weight", config.ModelWidth),
            Gate = Linear(prefix + "mlp.gate_proj", config.FeedForwardWidth, config.ModelWidth, config.FeedForwardBias),
            Up = Linear(prefix + "mlp.up_proj", config.FeedForwardWidth, config.ModelWidth, config.FeedForwardBias),
            Down = Linear(prefix + "mlp.down_proj", config.ModelWidth, config.FeedForwardWidth, config.FeedForwardBias),
        };
    }

    private KernelLinear Linear(string path, int outputs, int inputs, bool hasBias) =>
        new(_linears++, path, Matrix(path + ".weight", outputs, inputs), hasBias ? Vector(path + ".bias", outputs) : null);
}
