using InstructTune.Inference.Engine;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Inference.Models;

/// <summary>A base whose steps libtorch computes.</summary>
internal sealed class TorchBase(LlamaModel model, KvCache cache, int vocabularySize) : LoadedBase
{
    private readonly AdapterShelf _adapters = new(model);
    private readonly LogitReader _logits = new();

    public LlamaModel Model => model;

    /// <summary>Tokens there are; the embedding may have more rows, and those are none.</summary>
    public int VocabularySize => vocabularySize;

    public override LoadedAdapter ReadAdapter(string folder, Action<string> warn)
    {
        using var adapter = PeftAdapter.Read(folder, model.Config, warn);
        return new TensorAdapter(BankedAdapter.Of(adapter, model.Config, model));
    }

    public override void AddAdapter(string key, LoadedAdapter adapter) => _adapters.Add(key, ((TensorAdapter)adapter).Adapter);

    public override void RemoveAdapter(string key) => _adapters.Remove(key);

    public override IReadOnlyList<ChunkOutput> Run(IReadOnlyList<Chunk> chunks)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var batch = new StepBatch([.. chunks.Select(ToStep)]);
        var hidden_RD = model.Hidden(batch, cache, _adapters.Bank);
        return _logits.Read(this, hidden_RD, batch, chunks);
    }

    public override void Dispose()
    {
        _adapters.Dispose();
        cache.Dispose();
        model.Dispose();
    }

    protected override void CopyBlock(int from, int to) => cache.CopyPrefix(from, to, SlotPool.BlockTokens);

    protected override void ClearBlock(int block) => cache.Clear(block);

    private StepSequence ToStep(Chunk chunk)
    {
        var sequence = chunk.Sequence;
        var ids = new int[chunk.Rows];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = sequence.TokenAt(chunk.From + i);
        }
        int? adapter = sequence.Model.AdapterKey is { } key ? _adapters.SlotOf(key) : null;
        return new StepSequence(sequence.Slot!.FirstBlock, chunk.From, ids, adapter);
    }
}
