using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;

namespace InstructTune.Inference.Engine;

/// <summary>The adapters over one base, by key, each in a slot of its bank. Whoever comes or goes between two steps moves nobody else.</summary>
internal sealed class AdapterShelf(LlamaModel model) : IDisposable
{
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly PriorityQueue<int, int> _free = new();

    public AdapterBank Bank { get; } = new(model.Config);

    public int SlotOf(string key) => _slots[key];

    /// <summary>Takes the adapter over.</summary>
    public void Add(string key, BankedAdapter adapter)
    {
        var slot = _free.Count > 0 ? _free.Dequeue() : _slots.Count;
        _slots.Add(key, slot);
        Bank.Put(slot, adapter);
    }

    public void Remove(string key)
    {
        if (_slots.Remove(key, out var slot))
        {
            Bank.Unload(slot);
            _free.Enqueue(slot, slot);
        }
    }

    public void Dispose() => Bank.Dispose();
}
