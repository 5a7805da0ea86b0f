// Shape letters in this file:
//   V vocabulary

using InstructTune.Inference.Engine;
using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Serving;

namespace InstructTune.Inference.Models;

/// <summary>A base whose steps our own kernels compute, with weights in the format that was asked for.</summary>
internal sealed class KernelBase(KernelLlama model, KernelCache cache, Team team, int vocabularySize, int stepTokens) : LoadedBase
{
    /// <summary>Of adapters: room for it is made with the base.</summary>
    private const int UsualRank = 16;

    private readonly Dictionary<string, KernelAdapter> _adapters = new(StringComparer.Ordinal);
    private readonly KernelPass _pass = new(model, cache, team, stepTokens, UsualRank);
    private float[] _logits = [];

    /// <summary>Memory of steps, besides weights and cache.</summary>
    public static long StepBytes(LlamaConfig config, int stepTokens, Team team) => KernelPass.SizeBytes(config, stepTokens, UsualRank, team.Size);

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
        ChunkAnswer[] answers = [.. chunks.Select(chunk => new ChunkAnswer(chunk, vocabularySize))];
        List<KernelRow> rows = [];
        List<AdapterRun> runs = [];
        foreach (var (chunk, answer) in chunks.Zip(answers))
        {
            if (chunk.Sequence.Model.AdapterKey is { } key)
            {
                runs.Add(new AdapterRun(_adapters[key], rows.Count, rows.Count + chunk.Rows));
            }
            rows.AddRange(RowsOf(chunk, answer));
        }
        _pass.Run(rows, runs);
        return Read(answers);
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

    private static IEnumerable<KernelRow> RowsOf(Chunk chunk, ChunkAnswer answer)
    {
        var firstPlace = (long)chunk.Sequence.Slot!.FirstBlock * SlotPool.BlockTokens;
        for (var position = chunk.From; position < chunk.To; position++)
        {
            yield return new KernelRow(chunk.Sequence.TokenAt(position), position, firstPlace, answer.Wants(position));
        }
    }

    /// <summary>The engine samples after the step, so the logits that it samples from leave the buffers of the pass.</summary>
    private ChunkOutput[] Read(ChunkAnswer[] answers)
    {
        var (width, next, kept) = (model.Config.VocabularySize, 0, 0);
        var sampled = answers.Count(answer => answer.Samples);
        if (_logits.Length < sampled * width)
        {
            _logits = new float[sampled * width];
        }
        foreach (var answer in answers)
        {
            foreach (var position in answer.Wanted)
            {
                answer.Read(position, _pass.Logits(next++));
            }
            if (answer.Samples)
            {
                _pass.Logits(next - 1).CopyTo(_logits.AsSpan(kept * width));
                answer.LastRow = new ReadOnlyMemory<float>(_logits, kept++ * width, width);
            }
        }
        return [.. answers.Select(answer => answer.ToOutput())];
    }
}
