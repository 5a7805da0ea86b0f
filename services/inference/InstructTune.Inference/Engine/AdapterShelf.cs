using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;

namespace InstructTune.Inference.Engine;

/// <summary>
/// The adapters over one base. Their bank is as large as they need: a step multiplies all of it, so room for adapters that never come
/// would cost every request. It is rebuilt, between two steps, when one more does not fit.
/// </summary>
internal sealed class AdapterShelf(LlamaModel model) : IDisposable
{
    private const int FirstSlots = 2;

    private readonly Dictionary<string, (LoraAdapter Adapter, int Slot)> _adapters = new(StringComparer.Ordinal);

    /// <summary>Null while there is no adapter: the base alone pays nothing.</summary>
    public AdapterBank? Bank { get; private set; }

    public int SlotOf(string key) => _adapters[key].Slot;

    /// <summary>Takes the adapter over.</summary>
    public void Add(string key, LoraAdapter adapter)
    {
        var rank = RankOf(adapter);
        if (Bank is null || _adapters.Count == Bank.Slots || rank > Bank.RankPlaces)
        {
            Rebuild(Math.Max(rank, Bank?.RankPlaces ?? 0));
        }
        var slot = Enumerable.Range(0, Bank!.Slots).Except(_adapters.Values.Select(held => held.Slot)).First();
        Bank.Load(slot, adapter, model);
        _adapters.Add(key, (adapter, slot));
    }

    public void Remove(string key)
    {
        if (_adapters.Remove(key, out var held))
        {
            Bank!.Unload(held.Slot);
            held.Adapter.Dispose();
        }
        if (_adapters.Count == 0)
        {
            Bank?.Dispose();
            Bank = null;
        }
    }

    public void Dispose()
    {
        foreach (var (adapter, _) in _adapters.Values)
        {
            adapter.Dispose();
        }
        Bank?.Dispose();
    }

    /// <summary>They move together to the first slots: those that left have left gaps, and the new bank may be smaller than the old.</summary>
    private void Rebuild(int rank)
    {
        var slots = FirstSlots;
        while (slots <= _adapters.Count)
        {
            slots *= 2;
        }
        (string Key, LoraAdapter Adapter)[] held = [.. _adapters.Select(entry => (entry.Key, entry.Value.Adapter))];
        var bank = new AdapterBank(model.Config, slots, rank);
        for (var slot = 0; slot < held.Length; slot++)
        {
            bank.Load(slot, held[slot].Adapter, model);
        }
        for (var slot = 0; slot < held.Length; slot++)
        {
            _adapters[held[slot].Key] = (held[slot].Adapter, slot);
        }
        Bank?.Dispose();
        Bank = bank;
    }

    private static int RankOf(LoraAdapter adapter) => adapter.Modules.Values.Max(module => module.Rank);
}
