using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>A LoRA adapter in packed form. All of it stays float32.</summary>
public sealed class KernelAdapter : IDisposable
{
    /// <summary>By <see cref="KernelLinear.Place"/>: every step asks for all of them.</summary>
    private readonly KernelAdapterModule?[] _modules;

    internal KernelAdapter(IReadOnlyDictionary<KernelLinear, KernelAdapterModule> modules)
    {
        _modules = new KernelAdapterModule?[modules.Keys.Select(linear => linear.Place + 1).DefaultIfEmpty().Max()];
        foreach (var (linear, module) in modules)
        {
            _modules[linear.Place] = module;
        }

        Rank = modules.Values.Select(module => module.A.Outputs).DefaultIfEmpty().Max();
        SizeBytes = modules.Values.Sum(module => module.SizeBytes);
    }

    /// <summary>The greatest rank.</summary>
    public int Rank { get; }

    /// <summary>Bytes in memory.</summary>
    public long SizeBytes { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var module in _modules)
        {
            module?.Dispose();
        }
    }

    internal KernelAdapterModule? Find(KernelLinear linear) => linear.Place < _modules.Length ? _modules[linear.Place] : null;
}

/// <summary>What an adapter does to one linear layer: y = ratio * (W x + B A x) + b.</summary>
/// <param name="A">The inner product.</param>
/// <param name="B">The outer product, its scale folded in.</param>
/// <param name="Ratio">DoRA's magnitude over the length of each row of W + B A; null without DoRA.</param>
internal sealed record KernelAdapterModule(KernelMatrix A, KernelMatrix B, AlignedBuffer<float>? Ratio) : IDisposable
{
    public long SizeBytes => A.SizeBytes + B.SizeBytes + (Ratio?.SizeBytes ?? 0);

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        Ratio?.Dispose();
    }
}
