// Shape letters in this file:
//   R rows, padded to a multiple of 4   T new tokens of a block   S keys that block may see   I inputs
//   N query heads   K key/value heads   G = N / K   H width of one head

using InstructTune.Modeling.Adapters;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// One step over many sequences. Linear layers run over all rows at once; attention runs per sequence over exactly its own keys, in
/// blocks that end at multiples of <see cref="BlockTokens"/>, so that a row's bits depend on its own tokens only.
/// </summary>
internal sealed class ServingPass : ForwardPass
{
    /// <summary>Prompts chunked at multiples of this give the bits of whole prompts.</summary>
    public const int BlockTokens = 64;

    private readonly LlamaConfig _config;
    private readonly KvCache _cache;
    private readonly int _realRows;
    private readonly Tensor _places_R;
    private readonly List<AttentionBlock> _full = [];
    private readonly List<AttentionBlock> _windowed = [];

    public ServingPass(LlamaConfig config, StepBatch batch, KvCache cache, RotaryTable table, int paddedRows)
    {
        _config = config;
        _cache = cache;
        _realRows = batch.RowCount;
        var places = new long[_realRows];
        for (var i = 0; i < batch.Sequences.Count; i++)
        {
            var sequence = batch.Sequences[i];
            RefuseOverflow(sequence, cache);
            for (var t = 0; t < sequence.Ids.Length; t++)
            {
                places[batch.FirstRows[i] + t] = cache.Place(sequence.Slot, sequence.CachedTokens + t);
            }

            AddBlocks(sequence, batch.FirstRows[i]);
        }

        _places_R = tensor(places);
        Rotation = RotationOf(batch, table, paddedRows);
    }

    public override Rotation Rotation { get; }

    public AdapterStep? Adapters { get; init; }

    public override Tensor[] Project(ProjectionGroup group, Tensor x_RI)
    {
        var y_RO = nn.functional.linear(x_RI, group.Weight_OI, group.Bias_O!);
        var parts = group.Parts.Length == 1 ? [y_RO] : y_RO.split(group.Widths, 1);
        for (var i = 0; i < parts.Length && Adapters is not null; i++)
        {
            Adapters.AddTo(parts[i], group.Parts[i].Path, x_RI);
        }

        return parts;
    }

    public override Tensor SplitHeads(Tensor x_R, int heads) => x_R.view(-1, heads, _config.HeadWidth);

    public override Tensor Attend(int layer, Tensor q_RNH, Tensor k_RKH, Tensor v_RKH)
    {
        var (keys_CKH, values_CKH) = (_cache.Keys(layer), _cache.Values(layer));
        keys_CKH.index_copy_(0, _places_R, k_RKH.narrow(0, 0, _realRows));
        values_CKH.index_copy_(0, _places_R, v_RKH.narrow(0, 0, _realRows));
        var y_RKGH = zeros(q_RNH.size(0), _config.KeyValueHeads, _config.GroupSize, _config.HeadWidth);
        foreach (var block in _config.WindowOf(layer) is null ? _full : _windowed)
        {
            using var scope = NewDisposeScope();
            block.Attend(q_RNH, keys_CKH, values_CKH, y_RKGH);
        }

        return y_RKGH.view(-1, _config.QueryHeads * _config.HeadWidth);
    }

    private static void RefuseOverflow(StepSequence sequence, KvCache cache)
    {
        var end = sequence.CachedTokens + sequence.Ids.Length;
        var places = (long)cache.Slots * cache.CapacityTokens;
        if (sequence.Slot < 0 || sequence.Slot >= cache.Slots || sequence.CachedTokens < 0 || cache.Place(sequence.Slot, end) > places)
        {
            throw new ArgumentException($"Slot {sequence.Slot} cannot take tokens up to {end}: the cache has {cache.Slots} slots of {cache.CapacityTokens}.");
        }
    }

    private void AddBlocks(StepSequence sequence, int firstRow)
    {
        var end = sequence.CachedTokens + sequence.Ids.Length;
        for (var from = sequence.CachedTokens; from < end;)
        {
            var to = Math.Min(end, ((from / BlockTokens) + 1) * BlockTokens);
            var row = firstRow + from - sequence.CachedTokens;
            var place = _cache.Place(sequence.Slot, 0);
            _full.Add(new AttentionBlock(_config, row, from, to, 0, place, null));
            if (_config.WindowTokens is { } window)
            {
                // The first key follows from the block, not from where the chunk began.
                var firstKey = Math.Max(0, (from / BlockTokens * BlockTokens) - window + 1);
                _windowed.Add(new AttentionBlock(_config, row, from, to, firstKey, place + firstKey, window));
            }

            from = to;
        }
    }

    private static Rotation RotationOf(StepBatch batch, RotaryTable table, int paddedRows)
    {
        var positions = batch.PositionsPadded(paddedRows);
        if (!table.DependsOnLength)
        {
            return table.At(positions, 0);
        }

        var parts = new List<Rotation>();
        for (var i = 0; i < batch.Sequences.Count; i++)
        {
            var own = positions.AsSpan(batch.FirstRows[i], batch.Sequences[i].Ids.Length).ToArray();
            parts.Add(table.At(own, (int)own.Max() + 1));
        }

        if (paddedRows > batch.RowCount)
        {
            parts.Add(table.At(positions[batch.RowCount..], (int)positions[0] + 1));
        }

        return new Rotation(cat([.. parts.Select(p => p.Cos_R1H)], 0), cat([.. parts.Select(p => p.Sin_R1H)], 0));
    }
}
