using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz.Targets;

/// <summary>config.json.</summary>
internal sealed class ModelConfigTarget : FuzzTarget
{
    public override string Name => "config";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "\"rope_scaling\":{", "\"rope_type\":\"yarn\"", "\"factor\":0", "\"layer_types\":[", "\"sliding_window\":", "\"num_hidden_layers\":2147483647", "1e400", "-0.0", "NaN",
            "null", "\\udfff", "true", "[[", "99999999999999999999", "\"head_dim\":", "\"partial_rotary_factor\":",
        }.Select(Bytes.Text),
    ];

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        Small().ToJson(),
        (Small() with { Family = ModelFamily.Qwen3, QueryKeyValueBias = true }).ToJson(),
        (Small() with { Family = ModelFamily.Mistral, WindowTokens = 8, WindowedLayers = new HashSet<int> { 0, 1 } }).ToJson(),
        (Small() with { Rotary = new RotaryScaling { Kind = RotaryKind.Llama3, Factor = 8, OriginalContextTokens = 32 } }).ToJson(),
        (Small() with { Rotary = new RotaryScaling { Kind = RotaryKind.Yarn, Factor = 4, OriginalContextTokens = 32 } }).ToJson(),
        Bytes.Text("""{"model_type":"qwen2","architectures":["Qwen2ForCausalLM"],"hidden_size":16,"intermediate_size":32,"num_attention_heads":4,"num_key_value_heads":2,"num_hidden_layers":3,"max_position_embeddings":64,"vocab_size":20,"rope_parameters":{"rope_theta":1e6,"rope_type":"default"},"use_sliding_window":true,"sliding_window":4,"max_window_layers":1}"""),
    ];

    public override long AllocationLimitBytes(int inputSizeBytes) => 262_144 + (64L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        var config = LlamaConfig.Parse(input);
        if (config.QueryHeads % config.KeyValueHeads != 0 || config.HeadWidth < 1 || config.WindowedLayers.Any(l => l < 0 || l >= config.LayerCount))
        {
            throw new InvariantException("The configuration contradicts itself.");
        }
    }

    public override bool IsRefusal(Exception exception) => exception is ModelFormatException;

    public static LlamaConfig Small() => new()
    {
        VocabularySize = 20,
        ModelWidth = 16,
        FeedForwardWidth = 32,
        LayerCount = 2,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadWidth = 4,
        ContextTokens = 64,
        BeginOfTextId = 0,
        EndOfTextIds = [1, 2],
    };
}
