using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// Many adapters resident over one base, each in a slot of its own and as large as it is: who comes or goes moves nobody else. Each row of a step reads
/// the slot of its own adapter.
/// </summary>
/// <param name="config">The base model.</param>
/// <param name="slots">Adapters it can hold at once.</param>
/// <param name="maxRank">Highest rank it takes.</param>
public sealed class AdapterBank(LlamaConfig config, int slots = int.MaxValue, int maxRank = int.MaxValue) : IDisposable
{
    private readonly Dictionary<int, BankedAdapter> _held = [];

    /// <summary>Adapters it can hold at once.</summary>
    public int Slots { get; } = slots;

    /// <summary>Bytes of what it holds.</summary>
    public long SizeBytes => _held.Values.Sum(adapter => adapter.SizeBytes);

    /// <summary>The most rank places of what it holds.</summary>
    internal int RankPlaces => _held.Values.Select(adapter => adapter.RankPlaces).DefaultIfEmpty().Max();

    /// <summary>Puts a copy of an adapter into a slot, in place of what was there.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="model">Its base, whose weights DoRA compares with; not needed for other adapters.</param>
    /// <exception cref="ModelFormatException">The adapter does more than A, B and magnitudes on linear layers, or its rank is too high.</exception>
    public void Load(int slot, LoraAdapter adapter, LlamaModel? model = null)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        if (adapter.Modules.Values.FirstOrDefault(m => m.Rank > maxRank) is { } module)
        {
            throw new ModelFormatException("adapter_config.json", "r", $"{module.Path} has rank {module.Rank}; at most {maxRank} is served");
        }

        Put(slot, BankedAdapter.Of(adapter, config, model));
    }

    /// <summary>Takes an adapter over into a slot, in place of what was there.</summary>
    public void Put(int slot, BankedAdapter adapter)
    {
        Unload(slot);
        _held.Add(slot, adapter);
    }

    /// <summary>Empties a slot.</summary>
    public void Unload(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Slots);
        if (_held.Remove(slot, out var adapter))
        {
            adapter.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var adapter in _held.Values)
        {
            adapter.Dispose();
        }

        _held.Clear();
    }

    /// <summary>What the adapter of a slot does to a module, or null where it does nothing or there is none.</summary>
    internal BankedModule? Find(int slot, string path) => _held.GetValueOrDefault(slot)?.Find(path);
}
