using InstructTune.Inference.Models;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using Microsoft.Extensions.Options;
using static TorchSharp.torch;

namespace InstructTune.Inference.Engine;

/// <summary>Owns every tensor of the process's engine. All of its members are called on the engine's thread.</summary>
internal sealed class LlamaRunner(IOptions<TorchOptions> options) : IModelRunner
{
    private readonly Dictionary<string, LoadedBase> _bases = new(StringComparer.Ordinal);
    private readonly LogitReader _logits = new();

    public void Start()
    {
        if (options.Value.Threads > 0)
        {
            TorchThreads.Pin(options.Value.Threads);
        }
    }

    public void AddBase(string key, LoadedBase loaded) => _bases.Add(key, loaded);

    public void RemoveBase(string key)
    {
        if (_bases.Remove(key, out var loaded))
        {
            loaded.Dispose();
        }
    }

    public void AddAdapter(string baseKey, string key, LoraAdapter adapter) => _bases[baseKey].Adapters.Add(key, adapter);

    public void RemoveAdapter(string baseKey, string key) => _bases[baseKey].Adapters.Remove(key);

    public IReadOnlyList<ChunkOutput> Run(StepPlan plan)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var loaded = _bases[plan.BaseKey];
        var batch = new StepBatch([.. plan.Chunks.Select(chunk => ToStep(chunk, loaded.Adapters))]);
        var hidden_RD = loaded.Model.Hidden(batch, loaded.Cache, loaded.Adapters.Bank);
        return _logits.Read(loaded, hidden_RD, batch, plan.Chunks);
    }

    public void Stop()
    {
        foreach (var key in _bases.Keys.ToArray())
        {
            RemoveBase(key);
        }
    }

    private static StepSequence ToStep(Chunk chunk, AdapterShelf adapters)
    {
        var sequence = chunk.Sequence;
        var ids = new int[chunk.Rows];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = sequence.TokenAt(chunk.From + i);
        }
        int? adapter = sequence.Model.AdapterKey is { } key ? adapters.SlotOf(key) : null;
        return new StepSequence(sequence.Slot!.FirstBlock, chunk.From, ids, adapter);
    }
}
