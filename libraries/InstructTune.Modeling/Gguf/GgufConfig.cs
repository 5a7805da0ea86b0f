using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Gguf;

/// <summary>The metadata of a GGUF file as the configuration of a model.</summary>
internal sealed class GgufConfig
{
    private const string ArchitectureKey = "general.architecture";

    // Keys that change the result when they hold anything but the value beside them.
    private static readonly (string Key, double Neutral)[] s_neutralValues =
    [
        ("attention.scale", 0), ("attention.max_alibi_bias", 0), ("attention.clamp_kqv", 0), ("attn_logit_softcapping", 0), ("final_logit_softcapping", 0),
        ("embedding_scale", 1), ("expert_count", 0), ("logit_scale", 1), ("residual_scale", 1),
    ];

    private readonly GgufReader _reader;
    private readonly GgufMetadata _metadata;
    private readonly string _prefix;

    private GgufConfig(GgufReader reader, string architecture)
    {
        _reader = reader;
        _metadata = reader.Metadata;
        _prefix = architecture + ".";
    }

    public static LlamaConfig Read(GgufReader reader)
    {
        var type = reader.Metadata.Text("general.type") ?? "model";
        if (type != "model")
        {
            throw reader.Metadata.Fault("general.type", $"is {type}; only whole models are imported");
        }

        var architecture = reader.Metadata.RequiredText(ArchitectureKey);
        var family = architecture switch
        {
            "llama" => ModelFamily.Llama,
            "qwen2" => ModelFamily.Qwen2,
            "qwen3" => ModelFamily.Qwen3,
            _ => throw reader.Metadata.Fault(ArchitectureKey, $"{architecture} is not supported; supported are llama, qwen2 and qwen3"),
        };
        return new GgufConfig(reader, architecture).Read(family);
    }

    private LlamaConfig Read(ModelFamily family)
    {
        RefuseForeignMathematics();
        var width = Required("embedding_length", LlamaConfigReader.MaxWidth);
        var heads = Required("attention.head_count", LlamaConfigReader.MaxWidth);
        var keyValueHeads = Count("attention.head_count_kv", LlamaConfigReader.MaxWidth) ?? heads;
        if (heads % keyValueHeads != 0)
        {
            throw Fault("attention.head_count_kv", $"is {keyValueHeads}; it must divide {_prefix}attention.head_count, which is {heads}");
        }

        var headWidth = HeadWidth(width, heads);
        var context = Required("context_length", int.MaxValue);
        RefuseWindow(context);
        return new LlamaConfig
        {
            Family = family,
            VocabularySize = VocabularySize(),
            ModelWidth = width,
            FeedForwardWidth = Required("feed_forward_length", LlamaConfigReader.MaxWidth),
            LayerCount = Required("block_count", LlamaConfigReader.MaxLayers),
            QueryHeads = heads,
            KeyValueHeads = keyValueHeads,
            HeadWidth = headWidth,
            ContextTokens = context,
            NormEpsilon = Epsilon(),
            Rotary = GgufRotary.Read(_reader, _prefix, headWidth, context),
            TiedEmbeddings = _reader.Find(GgufNames.Head) is null,
            QueryKeyValueBias = _reader.Find("blk.0.attn_q.bias") is not null,
            AttentionOutputBias = _reader.Find("blk.0.attn_output.bias") is not null || (family == ModelFamily.Llama && _reader.Find("blk.0.attn_q.bias") is not null),
            FeedForwardBias = _reader.Find("blk.0.ffn_up.bias") is not null,
            BeginOfTextId = _metadata.Integer("tokenizer.ggml.bos_token_id", 0, int.MaxValue),
            EndOfTextIds = GgufTokenIds.EndOfText(_metadata),
            StorageType = StorageType(),
        };
    }

    private void RefuseForeignMathematics()
    {
        foreach (var (key, neutral) in s_neutralValues)
        {
            if (_metadata.Real(_prefix + key) is { } value && value != neutral)
            {
                throw Fault(key, $"is {value}; this changes the mathematics and is not supported");
            }
        }

        if (_metadata.Flag(_prefix + "attention.causal") is false)
        {
            throw Fault("attention.causal", "is false; only causal models are supported");
        }
    }

    private void RefuseWindow(int context)
    {
        if (_metadata.Integer(_prefix + "attention.sliding_window", 0, int.MaxValue) is > 0 and { } window && window < context)
        {
            throw Fault("attention.sliding_window", $"is {window}, less than the context of {context}; windows are not supported in GGUF files");
        }
    }

    private int HeadWidth(int width, int heads)
    {
        if (Count("attention.key_length", LlamaConfigReader.MaxWidth) is not { } given)
        {
            given = width % heads == 0 ? width / heads : throw Fault("attention.head_count", $"is {heads}; it must divide {_prefix}embedding_length, which is {width}");
        }

        if (given % 2 != 0)
        {
            throw Fault("attention.key_length", $"is {given}; rotary positions turn pairs, so it must be even");
        }

        foreach (var key in (string[])["attention.value_length", "rope.dimension_count"])
        {
            if (Count(key, LlamaConfigReader.MaxWidth) is { } other && other != given)
            {
                throw Fault(key, $"is {other}; it must be the width of a head, which is {given}");
            }
        }

        return given;
    }

    private int VocabularySize()
    {
        var embedding = _reader.Find(GgufNames.Embedding) ?? throw _metadata.Fault(GgufNames.Embedding, "the tensor is missing");
        if (embedding.Shape is not [var rows, _] || rows > LlamaConfigReader.MaxVocabulary)
        {
            throw _metadata.Fault(GgufNames.Embedding, $"must be a matrix of at most {LlamaConfigReader.MaxVocabulary} rows");
        }

        return Count("vocab_size", LlamaConfigReader.MaxVocabulary) is { } given && given != rows
            ? throw Fault("vocab_size", $"is {given}; {GgufNames.Embedding} has {rows} rows")
            : (int)rows;
    }

    private double Epsilon()
    {
        const string key = "attention.layer_norm_rms_epsilon";
        var value = _metadata.Real(_prefix + key) ?? throw Fault(key, "is missing");
        return value > 0 ? value : throw Fault(key, $"is {value}; it must be above 0");
    }

    // Named in config.json only: each tensor of the folder has the type that holds the file's numbers exactly.
    private string StorageType()
    {
        var types = _reader.Tensors.Where(t => t.Shape.Count > 1).Select(t => t.Type).Distinct().ToList();
        return types switch
        {
            [GgufTensorType.F16] => "float16",
            [GgufTensorType.BF16] => "bfloat16",
            _ => "float32",
        };
    }

    private int Required(string key, int most) => Count(key, most) ?? throw Fault(key, "is missing");

    private int? Count(string key, int most) => _metadata.Count(_prefix + key, most);

    private Weights.ModelFormatException Fault(string key, string problem) => _metadata.Fault(_prefix + key, problem);
}
