using InstructTune.Inference.Engine;
using InstructTune.Modeling.Llama;

namespace InstructTune.Inference.Models;

/// <summary>
/// The tensors of a base: weights, cache, adapters. Made by one thread and then given to the engine's; whoever gives it away never
/// touches it again.
/// </summary>
internal sealed class LoadedBase(LlamaModel model, KvCache cache, AdapterShelf adapters, int vocabularySize) : IDisposable
{
    public LlamaModel Model => model;

    public KvCache Cache => cache;

    public AdapterShelf Adapters => adapters;

    /// <summary>Tokens there are; the embedding may have more rows, and those are none.</summary>
    public int VocabularySize => vocabularySize;

    public void Dispose()
    {
        adapters.Dispose();
        cache.Dispose();
        model.Dispose();
    }
}
