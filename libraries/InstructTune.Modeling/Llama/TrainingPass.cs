// Shape letters in this file:
//   B batch   T tokens   R = B * T rows   I inputs   N query heads   K key/value heads   G = N / K   H width of one head

using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>Whole right-padded sequences, or several packed into a row; no cache, gradients. A real token never sees the padding, which lies after it.</summary>
internal sealed class TrainingPass : ForwardPass
{
    private readonly LlamaConfig _config;
    private readonly long _batch;
    private readonly long _tokens;
    private readonly bool _fused;
    private readonly Tensor? _windowMask_TT;

    /// <param name="config">The model.</param>
    /// <param name="batch">Rows.</param>
    /// <param name="tokens">Tokens of a row.</param>
    /// <param name="rotation">Angles of the positions.</param>
    /// <param name="fused">Whether grouped weights may be used whole, which gives their parts no gradients.</param>
    public TrainingPass(LlamaConfig config, long batch, long tokens, Rotation rotation, bool fused)
    {
        _config = config;
        (_batch, _tokens) = (batch, tokens);
        _fused = fused;
        Rotation = rotation;
        // Lives as long as what the pass was made in: all layers use it.
        _windowMask_TT = config.WindowTokens is { } window && window < tokens ? ones([tokens, tokens], ScalarType.Bool).tril().triu(1 - window) : null;
    }

    public override Rotation Rotation { get; }

    public LoraAdapter? Adapter { get; init; }

    public RowSeeds? Dropout { get; init; }

    /// <summary>Packed rows: the pieces that each row falls into, none of which sees another. Null: a row is one piece.</summary>
    public IReadOnlyList<IReadOnlyList<(int From, int Count)>>? Segments { get; init; }

    public override Tensor[] Project(ProjectionGroup group, Tensor x_RI)
    {
        if (!_fused || group.Whole is null || group.Parts.Any(p => Adapter?.ChangesBase(p.Path) == true))
        {
            return [.. group.Parts.Select(part => Adapter?.Forward(part, x_RI, Dropout) ?? part.Weight.Linear(x_RI, part.Bias_O))];
        }

        var y_RO = group.Whole.Linear(x_RI, group.Bias_O);
        var parts = group.Parts.Length == 1 ? [y_RO] : y_RO.split(group.Widths, 1);
        return [.. parts.Zip(group.Parts, (y, part) => Adapter?.Modules.GetValueOrDefault(part.Path)?.Add(x_RI, y, Dropout) ?? y)];
    }

    public override Tensor SplitHeads(Tensor x_R, int heads) => x_R.view(_batch, _tokens, heads, _config.HeadWidth);

    public override Tensor Attend(int layer, Tensor q_RNH, Tensor k_RKH, Tensor v_RKH)
    {
        var window = _config.WindowOf(layer);
        if (Segments is not { } segments)
        {
            return AttendWhole(q_RNH, k_RKH, v_RKH, window).view(_batch * _tokens, _config.QueryHeads * _config.HeadWidth);
        }

        var pieces = new List<Tensor>();
        for (var row = 0; row < segments.Count; row++)
        {
            foreach (var (from, count) in segments[row])
            {
                pieces.Add(AttendWhole(Piece(q_RNH), Piece(k_RKH), Piece(v_RKH), window).view(count, _config.QueryHeads * _config.HeadWidth));

                Tensor Piece(Tensor x_BTNH) => x_BTNH.narrow(0, row, 1).narrow(1, from, count);
            }
        }

        return cat([.. pieces], 0);
    }

    private Tensor AttendWhole(Tensor q_BTNH, Tensor k_BTKH, Tensor v_BTKH, int? window)
    {
        var (batch, tokens) = (q_BTNH.size(0), q_BTNH.size(1));
        var k_BKTH = k_BTKH.transpose(1, 2);
        var v_BKTH = v_BTKH.transpose(1, 2);
        var mask_TT = WindowMask(window, tokens);
        var group = _config.GroupSize;

        // Query head h belongs to key head h / G: one product per member of a group reads the keys where they lie.
        var members = q_BTNH.reshape(batch, tokens, _config.KeyValueHeads, group, _config.HeadWidth).unbind(3);
        var results = new Tensor[members.Length];
        for (var i = 0; i < members.Length; i++)
        {
            var y_BKTH = nn.functional.scaled_dot_product_attention(
                members[i].transpose(1, 2), k_BKTH, v_BKTH, attn_mask: mask_TT!, is_casual: mask_TT is null);
            results[i] = y_BKTH.transpose(1, 2);
        }

        return stack(results, 3);
    }

    private Tensor? WindowMask(int? windowTokens, long tokens)
    {
        if (windowTokens is not { } window || window >= tokens)
        {
            return null;
        }

        return tokens == _tokens ? _windowMask_TT : _windowMask_TT!.narrow(0, 0, tokens).narrow(1, 0, tokens);
    }
}
