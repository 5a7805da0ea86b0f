// Shape letters in this file:
//   V vocabulary

using InstructTune.Inference.Engine;
using InstructTune.Kernels;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Serving;

namespace InstructTune.Inference.Models;

/// <summary>A base whose steps our own kernels compute, with weights in the format that was asked for.</summary>
internal sealed class KernelBase(KernelLlama model, KernelCache cache, Team team, int vocabularySize) : LoadedBase
{
    private readonly Dictionary<string, KernelAdapter> _adapters = new(StringComparer.Ordinal);
    private readonly KernelPass _pass = new(model, cache, team);
    private float[] _logits = [];
    private int _width;

    public override LoadedAdapter ReadAdapter(string folder, Action<string> warn) => new PackedAdapter(KernelAdapterFolder.Load(folder, model, warn));

    public override void AddAdapter(string key, LoadedAdapter adapter) => _adapters.Add(key, ((PackedAdapter)adapter).Adapter);

    public override void RemoveAdapter(string key)
    {
        if (_adapters.Remove(key, out var adapter))
        {
            adapter.Dispose();
        }
    }

    public override IReadOnlyList<ChunkOutput> Run(IReadOnlyList<Chunk> chunks)
    {
        ChunkWants[] wants = [.. chunks.Select(chunk => chunk.Sequence.WantsOf(chunk.From, chunk.To))];
        List<KernelRow> rows = [];
        List<AdapterRun> runs = [];
        for (var i = 0; i < chunks.Count; i++)
        {
            if (chunks[i].Sequence.Model.AdapterKey is { } key)
            {
                runs.Add(new AdapterRun(_adapters[key], rows.Count, rows.Count + chunks[i].Rows));
            }
            rows.AddRange(RowsOf(chunks[i], wants[i]));
        }
        Keep(_pass.Run(rows, runs));
        return Outputs(chunks, wants);
    }

    public override void Dispose()
    {
        foreach (var adapter in _adapters.Values)
        {
            adapter.Dispose();
        }
        _pass.Dispose();
        cache.Dispose();
        model.Dispose();
    }

    protected override void CopyBlock(int from, int to) =>
        cache.Copy((long)from * SlotPool.BlockTokens, (long)to * SlotPool.BlockTokens, SlotPool.BlockTokens);

    protected override void ClearBlock(int block) => cache.Clear((long)block * SlotPool.BlockTokens, SlotPool.BlockTokens);

    private static IEnumerable<KernelRow> RowsOf(Chunk chunk, ChunkWants wants)
    {
        var firstPlace = (long)chunk.Sequence.Slot!.FirstBlock * SlotPool.BlockTokens;
        for (var position = chunk.From; position < chunk.To; position++)
        {
            yield return new KernelRow(chunk.Sequence.TokenAt(position), position, firstPlace, IsWanted(position, chunk, wants));
        }
    }

    private static bool IsWanted(int position, Chunk chunk, ChunkWants wants) =>
        (wants.LastLogits && position == chunk.To - 1) || wants.Targets.Any(target => target.Position == position)
        || wants.Reports.Any(target => target.Position == position);

    /// <summary>The engine samples after the step, so logits leave the buffers of the pass.</summary>
    private void Keep(int count)
    {
        _width = count > 0 ? _pass.Logits(0).Length : 0;
        if (_logits.Length < count * _width)
        {
            _logits = new float[count * _width];
        }
        for (var i = 0; i < count; i++)
        {
            _pass.Logits(i).CopyTo(_logits.AsSpan(i * _width));
        }
    }

    private ChunkOutput[] Outputs(IReadOnlyList<Chunk> chunks, ChunkWants[] wants)
    {
        var outputs = new ChunkOutput[chunks.Count];
        var next = 0;
        for (var i = 0; i < outputs.Length; i++)
        {
            var rowOf = new Dictionary<int, int>();
            for (var position = chunks[i].From; position < chunks[i].To; position++)
            {
                if (IsWanted(position, chunks[i], wants[i]))
                {
                    rowOf.Add(position, next++);
                }
            }
            var last = wants[i].LastLogits ? LogitsOf(rowOf[chunks[i].To - 1]) : default;
            outputs[i] = new ChunkOutput(
                last.Length == 0 ? last : last[..vocabularySize],
                [.. wants[i].Targets.Select(target => Score(LogitsOf(rowOf[target.Position]).Span, target.TokenId))])
            {
                WholeRow = last,
                Reports = [.. wants[i].Reports.Select(target => Report(LogitsOf(rowOf[target.Position]).Span, target.TokenId, wants[i].Wish))],
            };
        }
        return outputs;
    }

    private ReadOnlyMemory<float> LogitsOf(int row) => new(_logits, row * _width, _width);

    private TokenReport Report(ReadOnlySpan<float> logits_V, int tokenId, ReportWish wish) =>
        TokenReport.Of(logits_V, tokenId, wish.Alternatives, wish.TokenIds, vocabularySize);

    private TokenScore Score(ReadOnlySpan<float> logits_V, int tokenId)
    {
        var report = TokenReport.Of(logits_V, tokenId, 1, [], vocabularySize);
        return new TokenScore(report.Chosen.Logprob, report.Alternatives[0].TokenId == tokenId);
    }
}
