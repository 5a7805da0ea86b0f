// Shape letters in this file:
//   R rows   D model width   F feed-forward width   N query heads   K key/value heads   H width of one head

using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>One layer: attention, then the gated feed-forward part, each on the normed stream and added to it.</summary>
internal sealed class TransformerBlock
{
    private readonly LlamaConfig _config;
    private readonly int _layer;
    private readonly Tensor _attentionNorm_D;
    private readonly ProjectionGroup _queryKeyValue;
    private readonly Tensor? _queryNorm_H;
    private readonly Tensor? _keyNorm_H;
    private readonly ProjectionGroup _attentionOutput;
    private readonly Tensor _feedForwardNorm_D;
    private readonly ProjectionGroup _gateUp;
    private readonly ProjectionGroup _down;

    public TransformerBlock(LlamaConfig config, int layer, WeightStore store)
    {
        _config = config;
        _layer = layer;
        var (prefix, width, heads) = ($"model.layers.{layer}.", config.ModelWidth, config.QueryHeads * config.HeadWidth);
        var keyValue = config.KeyValueHeads * config.HeadWidth;
        _attentionNorm_D = store.Add(prefix + "input_layernorm.weight", width);
        _queryKeyValue = store.AddGroup(
            prefix, [("self_attn.q_proj", heads), ("self_attn.k_proj", keyValue), ("self_attn.v_proj", keyValue)], width, config.QueryKeyValueBias);
        _attentionOutput = store.AddGroup(prefix, [("self_attn.o_proj", width)], heads, config.AttentionOutputBias);
        _feedForwardNorm_D = store.Add(prefix + "post_attention_layernorm.weight", width);
        _gateUp = store.AddGroup(
            prefix, [("mlp.gate_proj", config.FeedForwardWidth), ("mlp.up_proj", config.FeedForwardWidth)], width, config.FeedForwardBias);
        _down = store.AddGroup(prefix, [("mlp.down_proj", width)], config.FeedForwardWidth, config.FeedForwardBias);
        if (config.HeadNorms)
        {
            _queryNorm_H = store.Add(prefix + "self_attn.q_norm.weight", config.HeadWidth);
            _keyNorm_H = store.Add(prefix + "self_attn.k_norm.weight", config.HeadWidth);
        }
    }

    /// <summary>The weights, for training without a graph.</summary>
    public LayerParts Parts => new(
        _layer, _attentionNorm_D, _queryKeyValue, _queryNorm_H, _keyNorm_H, _attentionOutput, _feedForwardNorm_D, _gateUp, _down);

    /// <summary>The groups of linear layers, for adapters.</summary>
    public IReadOnlyList<ProjectionGroup> Groups => [_queryKeyValue, _attentionOutput, _gateUp, _down];

    public Tensor Forward(Tensor x_RD, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var attended_RD = Attention(x_RD, pass);
        x_RD = x_RD.add(attended_RD, LivingScalar.One);
        attended_RD.Dispose();
        return x_RD.add(FeedForward(x_RD, pass), LivingScalar.One).MoveToOuterDisposeScope();
    }

    private Tensor Attention(Tensor x_RD, ForwardPass pass)
    {
        // What one half makes on its way is gone before the other begins.
        using var scope = NewDisposeScope();
        var parts = pass.Project(_queryKeyValue, RmsNorm.Apply(x_RD, _attentionNorm_D, _config.NormEpsilon));
        var q_RNH = pass.SplitHeads(parts[0], _config.QueryHeads);
        var k_RKH = pass.SplitHeads(parts[1], _config.KeyValueHeads);
        var v_RKH = pass.SplitHeads(parts[2], _config.KeyValueHeads);
        if (_config.HeadNorms)
        {
            q_RNH = RmsNorm.Apply(q_RNH, _queryNorm_H!, _config.NormEpsilon);
            k_RKH = RmsNorm.Apply(k_RKH, _keyNorm_H!, _config.NormEpsilon);
        }

        var y_R = pass.Attend(_layer, pass.Rotation.Apply(q_RNH), pass.Rotation.Apply(k_RKH), v_RKH);
        return pass.Project(_attentionOutput, y_R)[0].MoveToOuterDisposeScope();
    }

    private Tensor FeedForward(Tensor x_RD, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var parts = pass.Project(_gateUp, RmsNorm.Apply(x_RD, _feedForwardNorm_D, _config.NormEpsilon));
        return pass.Project(_down, nn.functional.silu(parts[0]) * parts[1])[0].MoveToOuterDisposeScope();
    }
}
