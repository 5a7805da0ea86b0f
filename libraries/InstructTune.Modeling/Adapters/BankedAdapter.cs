// Shape letters in this file:
//   R rank places   I inputs   O outputs

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// An adapter in the form that serving steps compute with: B transposed and scaled, ranks padded with zeros to the narrowest product whose bits do not
/// depend on the number of rows. Made by one thread and given to another; nothing changes it.
/// </summary>
public sealed class BankedAdapter : IDisposable
{
    // Products narrower than this round differently with the number of rows.
    private const int NarrowestProduct = 16;

    private readonly Dictionary<string, BankedModule> _modules;

    private BankedAdapter(Dictionary<string, BankedModule> modules)
    {
        _modules = modules;
        RankPlaces = modules.Values.Select(module => module.Places).DefaultIfEmpty().Max();
        SizeBytes = modules.Values.Sum(module => module.SizeBytes);
    }

    /// <summary>The most places that a module has.</summary>
    public int RankPlaces { get; }

    /// <summary>Bytes in memory.</summary>
    public long SizeBytes { get; }

    /// <summary>Copies an adapter, which stays its owner's.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="config">Of its base.</param>
    /// <param name="model">The base, whose weights DoRA compares with and where the copy shall lie; the processor when null, which is enough for other adapters.</param>
    /// <exception cref="ModelFormatException">The adapter does more than A, B and magnitudes on linear layers, or does not fit the base.</exception>
    public static BankedAdapter Of(LoraAdapter adapter, LlamaConfig config, LlamaModel? model = null)
    {
        RefuseUnshareable(adapter, config);
        if (adapter.Config.UseDora)
        {
            ArgumentNullException.ThrowIfNull(model);
        }

        using var frozen = no_grad();
        var modules = new Dictionary<string, BankedModule>(StringComparer.Ordinal);
        foreach (var module in adapter.Modules.Values)
        {
            modules.Add(module.Path, Copy(module, model));
        }

        return new BankedAdapter(modules);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var module in _modules.Values)
        {
            module.Dispose();
        }
    }

    internal BankedModule? Find(string path) => _modules.GetValueOrDefault(path);

    private static BankedModule Copy(LoraLinear module, LlamaModel? model)
    {
        using var scope = NewDisposeScope();
        var backend = model?.Backend ?? ModelBackend.Processor;
        var places = (module.Rank + NarrowestProduct - 1) / NarrowestProduct * NarrowestProduct;
        var a_RI = zeros([places, module.A_RI.size(1)], ScalarType.Float32, backend.Device);
        var b_RO = zeros([places, module.B_OR.size(0)], ScalarType.Float32, backend.Device);
        a_RI.narrow(0, 0, module.Rank).copy_(module.A_RI);
        var scaled_RO = module.B_OR.t() * module.Scale;
        var ratio_O = module.Magnitude_O is null ? null : module.DirectionRatio(model!.Read(module.Path + ".weight").cpu());
        b_RO.narrow(0, 0, module.Rank).copy_(ratio_O is null ? scaled_RO : scaled_RO * ratio_O);
        return new BankedModule(a_RI.DetachFromDisposeScope(), b_RO.DetachFromDisposeScope(), ratio_O?.to(backend.Device).DetachFromDisposeScope(), backend.UsesKernels);
    }

    private static void RefuseUnshareable(LoraAdapter adapter, LlamaConfig config)
    {
        if (adapter.Config.SharingObstacle is { } obstacle)
        {
            throw new ModelFormatException("adapter_config.json", obstacle, "such an adapter cannot share a base with others; merge it into a full model and serve that");
        }

        var linears = LinearModule.Of(config).ToDictionary(linear => linear.Path, StringComparer.Ordinal);
        if (adapter.Modules.Values.FirstOrDefault(module => !Fits(module, linears)) is { } other)
        {
            throw new ModelFormatException("adapter_model.safetensors", other.Path, "does not fit the base model");
        }
    }

    private static bool Fits(LoraLinear module, Dictionary<string, LinearModule> linears) =>
        linears.TryGetValue(module.Path, out var own) && own.Inputs == module.A_RI.size(1) && own.Outputs == module.B_OR.size(0);
}

/// <summary>What a banked adapter does to one linear layer.</summary>
internal sealed class BankedModule(Tensor a_RI, Tensor b_RO, Tensor? ratio_O, bool usesKernels) : IDisposable
{
    public Tensor A_RI { get; } = a_RI;

    public Tensor B_RO { get; } = b_RO;

    /// <summary>Null where libtorch multiplies all rows.</summary>
    public RowSpan? RowsOfA { get; } = usesKernels ? RowSpan.Of(a_RI) : null;

    /// <summary>As <see cref="RowsOfA"/>.</summary>
    public RowSpan? RowsOfB { get; } = usesKernels ? RowSpan.Of(b_RO) : null;

    /// <summary>DoRA's factor of each output; null for what leaves the base's product as it is.</summary>
    public Tensor? Ratio_O { get; } = ratio_O;

    public int Places { get; } = (int)a_RI.size(0);

    public long SizeBytes { get; } = (a_RI.numel() + b_RO.numel() + (ratio_O?.numel() ?? 0)) * sizeof(float);

    public void Dispose()
    {
        A_RI.Dispose();
        B_RO.Dispose();
        Ratio_O?.Dispose();
    }
}
