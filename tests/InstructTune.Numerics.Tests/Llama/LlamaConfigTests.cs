using System.Text;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Numerics.Tests.Llama;

public sealed class LlamaConfigTests
{
    private const string Minimum = """
        "architectures": ["LlamaForCausalLM"], "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1,
        "num_attention_heads": 2, "max_position_embeddings": 64
        """;

    [Fact]
    public void Absent_keys_take_the_defaults_of_transformers()
    {
        var config = Parse(Minimum);
        Assert.Equal((2, 8, 1e-6, 10_000.0), (config.KeyValueHeads, config.HeadWidth, config.NormEpsilon, config.Rotary.Base));
        Assert.False(config.TiedEmbeddings);
    }

    [Theory]
    [InlineData("\"quantization_config\": {\"bits\": 4}", "quantization_config")]
    [InlineData("\"partial_rotary_factor\": 0.5", "partial_rotary_factor")]
    [InlineData("\"attention_dropout\": 0.1", "attention_dropout")]
    [InlineData("\"final_logit_softcapping\": 30.0", "final_logit_softcapping")]
    [InlineData("\"num_local_experts\": 8", "num_local_experts")]
    [InlineData("\"rope_scaling\": {\"type\": \"longrope\", \"factor\": 2.0}", "rope_scaling.rope_type")]
    [InlineData("\"rope_parameters\": {\"full_attention\": {\"rope_theta\": 1e4}}", "rope_parameters.full_attention")]
    [InlineData("\"scale_emb\": 12", "scale_emb")]
    [InlineData("\"clip_qkv\": 8.0", "clip_qkv")]
    [InlineData("\"no_rope_layers\": [1, 0]", "no_rope_layers")]
    [InlineData("\"rope_scaling\": {\"type\": \"default\", \"mrope_section\": [16, 24, 24]}", "rope_scaling.mrope_section")]
    [InlineData("\"quantization_config\": {\"load_in_8bit\": true}", "quantization_config")]
    [InlineData("\"head_dim\": 7", "head_dim")]
    [InlineData("\"layer_types\": [\"chunked_attention\"]", "layer_types")]
    [InlineData("\"rms_norm_eps\": 0", "rms_norm_eps")]
    [InlineData("\"tie_word_embeddings\": \"yes\"", "tie_word_embeddings")]
    public void What_would_be_computed_wrongly_is_refused_by_key(string field, string item)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Parse($"{Minimum}, {field}"));
        Assert.Equal(("config.json", item), (refusal.File, refusal.Item));
    }

    [Fact]
    public void Harmless_keys_pass()
    {
        Assert.NotNull(Parse($"{Minimum}, \"pretraining_tp\": 2, \"use_cache\": true, \"attention_dropout\": 0.0, \"quantization_config\": null, \"note\": []"));
    }

    [Theory]
    [InlineData(8, 128, 28, 3.211445995e-03)]
    [InlineData(8, 128, 29, 2.166570764e-03)]
    [InlineData(8, 128, 31, 8.567514129e-04)]
    [InlineData(8, 128, 34, 1.785078128e-04)]
    [InlineData(8, 128, 35, 9.556212354e-05)]
    [InlineData(8, 128, 63, 3.068925989e-07)]
    [InlineData(32, 64, 15, 1.290547928e-03)]
    [InlineData(32, 64, 17, 9.708287803e-05)]
    [InlineData(32, 64, 31, 9.418306725e-08)]
    public void Published_llama3_frequencies_are_reproduced(int factor, int headWidth, int index, double expected)
    {
        var scaling = new RotaryScaling
        {
            Kind = RotaryKind.Llama3,
            Base = 500_000,
            Factor = factor,
            OriginalContextTokens = 8192,
            LowFrequencyFactor = 1,
            HighFrequencyFactor = 4,
        };
        Assert.Equal(expected, RotaryFrequencies.Compute(scaling, headWidth, 0)[index], expected * 1e-6);
    }

    private static LlamaConfig Parse(string fields) => LlamaConfig.Parse(Encoding.UTF8.GetBytes($"{{{fields}}}"));
}
