// Shape letters in this file:
//   V vocabulary

using InstructTune.Inference.Engine;
using InstructTune.Kernels;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Serving;

namespace InstructTune.Inference.Models;

/// <summary>A base whose steps our own kernels compute, with weights in the format that was asked for.</summary>
internal sealed class KernelBase(KernelLlama model, KernelCache cache, Team team, int vocabularySize) : LoadedBase
{
    private readonly Dictionary<string, KernelAdapter> _adapters = new(StringComparer.Ordinal);
    private readonly KernelPass _pass = new(model, cache, team);
    private float[] _logits = [];

    public override void AddAdapter(string key, LoraAdapter adapter)
    {
        _adapters.Add(key, KernelModelFolder.Pack(adapter));
        adapter.Dispose();
    }

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

    private static IEnumerable<KernelRow> RowsOf(Chunk chunk, ChunkWants wants)
    {
        var firstPlace = (long)chunk.Sequence.Slot!.FirstBlock * SlotPool.BlockTokens;
        for (var position = chunk.From; position < chunk.To; position++)
        {
            yield return new KernelRow(chunk.Sequence.TokenAt(position), position, firstPlace, IsWanted(position, chunk, wants));
        }
    }

    private static bool IsWanted(int position, Chunk chunk, ChunkWants wants) =>
        (wants.LastLogits && position == chunk.To - 1) || wants.Targets.Any(target => target.Position == position);

    /// <summary>The engine samples after the step, so logits leave the buffers of the pass.</summary>
    private void Keep(int count)
    {
        if (_logits.Length < count * vocabularySize)
        {
            _logits = new float[count * vocabularySize];
        }
        for (var i = 0; i < count; i++)
        {
            _pass.Logits(i)[..vocabularySize].CopyTo(_logits.AsSpan(i * vocabularySize));
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
            outputs[i] = new ChunkOutput(
                wants[i].LastLogits ? LogitsOf(rowOf[chunks[i].To - 1]) : default,
                [.. wants[i].Targets.Select(target => Score(LogitsOf(rowOf[target.Position]).Span, target.TokenId))]);
        }
        return outputs;
    }

    private ReadOnlyMemory<float> LogitsOf(int row) => new(_logits, row * vocabularySize, vocabularySize);

    /// <summary>In float64: a sum over a large vocabulary loses digits in float32.</summary>
    private static TokenScore Score(ReadOnlySpan<float> logits_V, int tokenId)
    {
        var most = float.NegativeInfinity;
        var best = 0;
        for (var id = 0; id < logits_V.Length; id++)
        {
            if (logits_V[id] > most)
            {
                (most, best) = (logits_V[id], id);
            }
        }
        var sum = 0.0;
        foreach (var logit in logits_V)
        {
            sum += Math.Exp(logit - most);
        }
        return new TokenScore(logits_V[tokenId] - most - Math.Log(sum), best == tokenId);
    }
}
