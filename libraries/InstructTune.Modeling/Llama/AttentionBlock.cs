// Shape letters in this file:
//   R rows of the step   C places of the cache   T new tokens of the block   S keys it may see
//   N query heads   K key/value heads   G = N / K   H width of one head   Q = G * T query rows, padded to a multiple of 4

using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// Attention of T consecutive tokens of one sequence. The G query heads that share a key head are folded into rows, so keys are read
/// once and never repeated; rows are padded to a multiple of four, below which libtorch's products round differently.
/// </summary>
internal sealed class AttentionBlock
{
    private readonly int _row;
    private readonly int _tokens;
    private readonly long _place;
    private readonly int _keys;
    private readonly int _group;
    private readonly int _keyValueHeads;
    private readonly int _padding;
    private readonly Tensor? _mask_QS;

    /// <param name="config">The model.</param>
    /// <param name="piece">The tokens.</param>
    /// <param name="firstKey">First key that any of them sees.</param>
    /// <param name="place">Place of that key in the cache.</param>
    /// <param name="window">Tokens each may see back, or null.</param>
    /// <param name="device">Where the cache lies.</param>
    public AttentionBlock(LlamaConfig config, StepPiece piece, int firstKey, long place, int? window, Device device)
    {
        (_row, _tokens, _place, _keys) = (piece.Row, piece.Count, place, piece.To - firstKey);
        (_group, _keyValueHeads) = (config.GroupSize, config.KeyValueHeads);
        _padding = -(_group * _tokens) & 3;
        var seesAll = _tokens == 1 && (window is null || _keys <= window);
        _mask_QS = seesAll ? null : Mask(piece.From - firstKey, window, device);
    }

    public void Attend(Tensor q_RNH, Tensor keys_CKH, Tensor values_CKH, Tensor y_RKGH)
    {
        var q_1KQH = Fold(q_RNH.narrow(0, _row, _tokens));
        var k_1KSH = keys_CKH.narrow(0, _place, _keys).transpose(0, 1).unsqueeze(0);
        var v_1KSH = values_CKH.narrow(0, _place, _keys).transpose(0, 1).unsqueeze(0);
        var y_1KQH = nn.functional.scaled_dot_product_attention(q_1KQH, k_1KSH, v_1KSH, attn_mask: _mask_QS!);
        var y_KGTH = y_1KQH.narrow(2, 0, _group * _tokens).view(_keyValueHeads, _group, _tokens, y_1KQH.size(3));
        y_RKGH.narrow(0, _row, _tokens).copy_(y_KGTH.permute(2, 0, 1, 3));
    }

    private Tensor Fold(Tensor q_TNH)
    {
        var q_1KQH = q_TNH.view(_tokens, _keyValueHeads, _group, q_TNH.size(2))
            .permute(1, 2, 0, 3)
            .reshape(1, _keyValueHeads, _group * _tokens, q_TNH.size(2));
        return _padding == 0 ? q_1KQH : cat([q_1KQH, q_1KQH.narrow(2, 0, 1).expand(-1, -1, _padding, -1)], 2);
    }

    private Tensor Mask(int firstTokenKey, int? window, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = _group * _tokens;
        var own_Q1 = tensor([.. Enumerable.Range(0, rows + _padding).Select(q => (long)firstTokenKey + (q < rows ? q % _tokens : 0))], device: device).unsqueeze(1);
        var key_S = arange(_keys, device: device);
        var mask_QS = key_S.le(own_Q1);
        if (window is { } tokens)
        {
            mask_QS.logical_and_(key_S.gt(own_Q1 - tokens));
        }

        return mask_QS.MoveToOuterDisposeScope();
    }
}
