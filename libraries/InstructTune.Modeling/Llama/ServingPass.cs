// Shape letters in this file:
//   R rows, in the order of the layout   I inputs   O outputs
//   N query heads   K key/value heads   G = N / K   H width of one head

using InstructTune.Modeling.Adapters;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// One step over many sequences. Linear layers run over all rows at once; attention runs per sequence over exactly its own keys, in
/// blocks that end at multiples of 64, so that a row's bits depend on its own tokens only.
/// </summary>
internal sealed class ServingPass : ForwardPass
{
    private readonly LlamaConfig _config;
    private readonly KvCache _cache;
    private readonly StepLayout _layout;
    private readonly Device _device;
    private readonly Tensor _places_R;
    private readonly AttentionBlock[] _full;
    private readonly AttentionBlock[] _windowed;

    public ServingPass(LlamaConfig config, StepBatch batch, StepLayout layout, KvCache cache, RotaryTable table, Device device)
    {
        (_config, _cache, _layout, _device) = (config, cache, layout, device);
        foreach (var sequence in batch.Sequences)
        {
            RefuseOverflow(sequence, cache);
        }

        _places_R = tensor(layout.Rows((sequence, token) => cache.Place(sequence.Slot, token)), device: device);
        _full = [.. layout.Pieces.Select(p => Block(batch, p, null))];
        _windowed = config.WindowTokens is { } window ? [.. layout.Pieces.Select(p => Block(batch, p, window))] : [];
        Rotation = RotationOf(layout, table);
    }

    public override Rotation Rotation { get; }

    public AdapterStep? Adapters { get; init; }

    public override Tensor[] Project(ProjectionGroup group, Tensor x_RI)
    {
        var y_RO = group.Multiply(x_RI, _layout.BlockRows);
        var parts = group.Parts.Length == 1 ? [y_RO] : y_RO.split(group.Widths, 1);
        for (var i = 0; i < parts.Length && Adapters is not null; i++)
        {
            Adapters.AddTo(parts[i], group.Parts[i], x_RI);
        }

        return parts;
    }

    public override Tensor SplitHeads(Tensor x_R, int heads) => x_R.view(-1, heads, _config.HeadWidth);

    public override Tensor Attend(int layer, Tensor q_RNH, Tensor k_RKH, Tensor v_RKH)
    {
        var (keys_CKH, values_CKH) = (_cache.Keys(layer), _cache.Values(layer));
        keys_CKH.index_copy_(0, _places_R, InType(k_RKH, _cache.Type));
        values_CKH.index_copy_(0, _places_R, InType(v_RKH, _cache.Type));
        q_RNH = InType(q_RNH, _cache.Type);
        var y_RKGH = empty(_layout.RowCount, _config.KeyValueHeads, _config.GroupSize, _config.HeadWidth, device: _device);
        foreach (var block in _config.WindowOf(layer) is null ? _full : _windowed)
        {
            using var scope = NewDisposeScope();
            block.Attend(q_RNH, keys_CKH, values_CKH, y_RKGH);
        }

        return y_RKGH.view(-1, _config.QueryHeads * _config.HeadWidth);
    }

    private static Tensor InType(Tensor x, ScalarType type) => x.dtype == type ? x : x.to_type(type);

    private static void RefuseOverflow(StepSequence sequence, KvCache cache)
    {
        var end = sequence.CachedTokens + sequence.Ids.Length;
        var places = (long)cache.Slots * cache.CapacityTokens;
        if (sequence.Slot < 0 || sequence.Slot >= cache.Slots || sequence.CachedTokens < 0 || cache.Place(sequence.Slot, end) > places)
        {
            throw new ArgumentException($"Slot {sequence.Slot} cannot take tokens up to {end}: the cache has {cache.Slots} slots of {cache.CapacityTokens}.");
        }
    }

    private AttentionBlock Block(StepBatch batch, StepPiece piece, int? window)
    {
        // The first key follows from the block, not from where the chunk began.
        var firstKey = window is { } tokens ? Math.Max(0, (piece.From / StepLayout.BlockTokens * StepLayout.BlockTokens) - tokens + 1) : 0;
        return new AttentionBlock(_config, piece, firstKey, _cache.Place(batch.Sequences[piece.Sequence].Slot, firstKey), window, _device);
    }

    private static Rotation RotationOf(StepLayout layout, RotaryTable table)
    {
        var positions = layout.Rows((sequence, token) => sequence.PositionOf(token));
        if (!table.DependsOnLength)
        {
            return table.At(positions, 0);
        }

        var lengths = layout.Rows((sequence, _) => sequence.PositionOf(sequence.CachedTokens + sequence.Ids.Length - 1) + 1);
        var parts = layout.Pieces.Select(p => table.At(positions[p.Row..(p.Row + p.Count)], (int)lengths[p.Row])).ToArray();
        return new Rotation(cat([.. parts.Select(p => p.Cos_R1H)], 0), cat([.. parts.Select(p => p.Sin_R1H)], 0));
    }
}
