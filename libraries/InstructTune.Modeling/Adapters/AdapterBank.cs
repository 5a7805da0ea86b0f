// Shape letters in this file:
//   A = adapters * R columns   R rank places of one adapter   I inputs   O outputs

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// Many adapters resident over one base. Per module, the A and B of all adapters lie stacked in one slab, a slot after the other; each
/// row of a step reads the slot of its own adapter.
/// </summary>
public sealed class AdapterBank : IDisposable
{
    // Products narrower than this round differently with the number of rows.
    private const int NarrowestProduct = 16;

    private readonly LlamaConfig _config;
    private readonly Dictionary<string, AdapterSlab> _slabs = new(StringComparer.Ordinal);

    /// <summary>Creates an empty bank.</summary>
    /// <param name="config">The base model.</param>
    /// <param name="slots">Adapters it can hold at once.</param>
    /// <param name="maxRank">Highest rank it takes.</param>
    public AdapterBank(LlamaConfig config, int slots, int maxRank)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRank, 1);
        _config = config;
        Slots = slots;
        RankPlaces = (maxRank + NarrowestProduct - 1) / NarrowestProduct * NarrowestProduct;
    }

    /// <summary>Adapters it can hold at once.</summary>
    public int Slots { get; }

    /// <summary>Rank that each slot has room for.</summary>
    public int RankPlaces { get; }

    /// <summary>Bytes of a bank whose adapters target every linear layer.</summary>
    public static long SizeBytes(LlamaConfig config, int slots, int maxRank) =>
        LinearModule.Of(config).Sum(m => (long)(m.Inputs + m.Outputs)) * slots * ((maxRank + NarrowestProduct - 1) / NarrowestProduct * NarrowestProduct) * sizeof(float);

    /// <summary>Puts an adapter into a slot, in place of what was there. The bank keeps its own copy, with B scaled.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="model">Its base, whose weights DoRA compares with; not needed for other adapters.</param>
    /// <exception cref="ModelFormatException">The adapter does more than A, B and magnitudes on linear layers, or its rank is too high.</exception>
    public void Load(int slot, LoraAdapter adapter, LlamaModel? model = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Slots);
        RefuseUnshareable(adapter);
        if (adapter.Config.UseDora)
        {
            ArgumentNullException.ThrowIfNull(model);
        }

        Unload(slot);
        using var frozen = no_grad();
        foreach (var module in adapter.Modules.Values)
        {
            using var scope = NewDisposeScope();
            var slab = Slab(module.Path);
            slab.A_AI.narrow(0, slot * RankPlaces, module.Rank).copy_(module.A_RI);
            var b_RO = module.B_OR.t() * module.Scale;
            if (module.Magnitude_O is not null)
            {
                var ratio_O = module.DirectionRatio(model!.Read(module.Path + ".weight"));
                slab.SetRatio(slot, Slots, ratio_O);
                b_RO *= ratio_O;
            }

            slab.B_AO.narrow(0, slot * RankPlaces, module.Rank).copy_(b_RO);
        }
    }

    /// <summary>Empties a slot.</summary>
    public void Unload(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Slots);
        using var frozen = no_grad();
        foreach (var slab in _slabs.Values)
        {
            using var scope = NewDisposeScope();
            slab.A_AI.narrow(0, slot * RankPlaces, RankPlaces).zero_();
            slab.B_AO.narrow(0, slot * RankPlaces, RankPlaces).zero_();
            slab.ClearRatio(slot);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slab in _slabs.Values)
        {
            slab.Dispose();
        }

        _slabs.Clear();
    }

    /// <summary>The slab of a module that some adapter targeted, or null.</summary>
    internal AdapterSlab? Find(string path) => _slabs.GetValueOrDefault(path);

    private AdapterSlab Slab(string path)
    {
        if (!_slabs.TryGetValue(path, out var slab))
        {
            var module = LinearModule.Of(_config).First(m => m.Path == path);
            var places = (long)Slots * RankPlaces;
            slab = new AdapterSlab(
                zeros([places, module.Inputs], ScalarType.Float32).DetachFromDisposeScope(),
                zeros([places, module.Outputs], ScalarType.Float32).DetachFromDisposeScope());
            _slabs.Add(path, slab);
        }

        return slab;
    }

    private void RefuseUnshareable(LoraAdapter adapter)
    {
        if (adapter.Config.SharingObstacle is { } obstacle)
        {
            throw new ModelFormatException("adapter_config.json", obstacle, "such an adapter cannot share a base with others; merge it into a full model and serve that");
        }

        if (adapter.Modules.Values.FirstOrDefault(m => m.Rank > RankPlaces) is { } module)
        {
            throw new ModelFormatException("adapter_config.json", "r", $"{module.Path} has rank {module.Rank}; at most {RankPlaces} is served");
        }

        if (adapter.Modules.Values.FirstOrDefault(m => !Fits(m)) is { } other)
        {
            throw new ModelFormatException("adapter_model.safetensors", other.Path, "does not fit the base model");
        }
    }

    private bool Fits(LoraLinear module) =>
        LinearModule.Of(_config).FirstOrDefault(m => m.Path == module.Path) is { } own
        && own.Inputs == module.A_RI.size(1) && own.Outputs == module.B_OR.size(0);
}
