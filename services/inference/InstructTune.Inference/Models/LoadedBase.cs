using InstructTune.Inference.Engine;
using InstructTune.Modeling.Adapters;

namespace InstructTune.Inference.Models;

/// <summary>
/// A base in memory with its cache and its adapters. Made by one thread and then given to the engine's; whoever gives it away never touches
/// it again.
/// </summary>
internal abstract class LoadedBase : IDisposable
{
    /// <summary>Takes the adapter over.</summary>
    public abstract void AddAdapter(string key, LoraAdapter adapter);

    public abstract void RemoveAdapter(string key);

    /// <summary>One output per chunk, in their order. What it returns is valid until the next call.</summary>
    public abstract IReadOnlyList<ChunkOutput> Run(IReadOnlyList<Chunk> chunks);

    public abstract void Dispose();
}
