using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>A LoRA adapter in packed form, by path of a linear layer. All of it stays float32.</summary>
public sealed class KernelAdapter : IDisposable
{
    private readonly Dictionary<string, KernelAdapterModule> _modules;

    internal KernelAdapter(Dictionary<string, KernelAdapterModule> modules)
    {
        _modules = modules;
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
        foreach (var module in _modules.Values)
        {
            module.Dispose();
        }
    }

    internal KernelAdapterModule? Find(string path) => _modules.GetValueOrDefault(path);
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
