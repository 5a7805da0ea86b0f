using System.Runtime.InteropServices;
using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Serving;

/// <summary>Reads a Hugging Face model folder into packed matrices, one tensor at a time.</summary>
public static class KernelModelFolder
{
    private const string EmbeddingName = "model.embed_tokens.weight";

    /// <summary>Why this model cannot be served by the kernels; null when it can.</summary>
    public static string? Obstacle(LlamaConfig config) =>
        config.Rotary.Kind == RotaryKind.Dynamic ? "rope_scaling of type dynamic, whose angles change as a sequence grows" : null;

    /// <summary>Loads the model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="format">Of the matrices of linear layers, embedding and head.</param>
    /// <exception cref="ModelFormatException">A file, key or tensor is missing, malformed or not supported.</exception>
    public static KernelLlama Load(string folder, WeightFormat format)
    {
        var config = ModelFolder.ReadConfig(folder);
        if (Obstacle(config) is { } obstacle)
        {
            throw new ModelFormatException("config.json", "rope_scaling", $"the serving kernels do not support {obstacle}");
        }

        using var files = WeightFiles.Open(folder, static _ => { });
        var reader = new Reader(files, config, format);
        var layers = Enumerable.Range(0, config.LayerCount).Select(reader.Layer).ToArray();
        var embedding = reader.Matrix(EmbeddingName, config.VocabularySize, config.ModelWidth);
        var head = config.TiedEmbeddings ? embedding : reader.Matrix("lm_head.weight", config.VocabularySize, config.ModelWidth);
        return new KernelLlama(config, layers, reader.Vector("model.norm.weight", config.ModelWidth), embedding, head);
    }

    /// <summary>Packs an adapter.</summary>
    /// <exception cref="ModelFormatException">It does more than A and B on linear layers.</exception>
    public static KernelAdapter Pack(Adapters.LoraAdapter adapter)
    {
        if (adapter.Config.CombinationObstacle is { } obstacle)
        {
            throw new ModelFormatException("adapter_config.json", obstacle, "the kernels serve A and B on linear layers only; merge such an adapter into a full model and serve that");
        }

        return new KernelAdapter(adapter.Modules.Values.ToDictionary(
            module => module.Path, module => (Packed(module.A_RI, 1), Packed(module.B_OR, (float)module.Scale)), StringComparer.Ordinal));
    }

    private static KernelMatrix Packed(Tensor matrix, float factor)
    {
        using var scope = NewDisposeScope();
        var scaled = matrix.detach().mul(factor).contiguous();
        var (rows, columns) = ((int)scaled.size(0), (int)scaled.size(1));
        return KernelMatrix.Create(WeightFormat.Float32, rows, columns, (output, row) => RowOf(scaled, output, columns).CopyTo(row));
    }

    private static ReadOnlySpan<float> RowOf(Tensor matrix, int row, int columns) =>
        MemoryMarshal.Cast<byte, float>(matrix.bytes).Slice(row * columns, columns);

    private sealed class Reader(WeightFiles files, LlamaConfig config, WeightFormat format)
    {
        public KernelLayer Layer(int index)
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

        public KernelMatrix Matrix(string name, int outputs, int inputs)
        {
            using var values = Read(name, outputs, inputs);
            return KernelMatrix.Create(format, outputs, inputs, (output, row) => RowOf(values, output, inputs).CopyTo(row));
        }

        public AlignedBuffer<float> Vector(string name, int length)
        {
            using var values = Read(name, length);
            var buffer = new AlignedBuffer<float>(length);
            RowOf(values, 0, length).CopyTo(buffer.Span(0, length));
            return buffer;
        }

        private KernelLinear Linear(string path, int outputs, int inputs, bool hasBias) =>
            new(path, Matrix(path + ".weight", outputs, inputs), hasBias ? Vector(path + ".bias", outputs) : null);

        private Tensor Read(string name, params long[] shape)
        {
            var file = files.Find(name) ?? throw new ModelFormatException("model.safetensors", name, "is missing");
            var values = file.ReadFloat32(name);
            if (!values.shape.AsSpan().SequenceEqual(shape))
            {
                var found = string.Join(", ", values.shape);
                values.Dispose();
                throw new ModelFormatException(file.FileName, name, $"has shape [{found}]; config.json asks for [{string.Join(", ", shape)}]");
            }

            return values;
        }
    }
}
