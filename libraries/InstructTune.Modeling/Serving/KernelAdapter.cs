using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>A LoRA adapter in packed form: by path of a linear layer A, and B with the scale folded in. Both stay float32.</summary>
public sealed class KernelAdapter : IDisposable
{
    private readonly Dictionary<string, (KernelMatrix A, KernelMatrix B)> _modules;

    internal KernelAdapter(Dictionary<string, (KernelMatrix A, KernelMatrix B)> modules)
    {
        _modules = modules;
        Rank = modules.Values.Select(module => module.A.Outputs).DefaultIfEmpty().Max();
    }

    /// <summary>The greatest rank.</summary>
    public int Rank { get; }

    /// <summary>Bytes in memory.</summary>
    public long SizeBytes => _modules.Values.Sum(module => module.A.SizeBytes + module.B.SizeBytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (a, b) in _modules.Values)
        {
            a.Dispose();
            b.Dispose();
        }
    }

    internal (KernelMatrix A, KernelMatrix B)? Find(string path) => _modules.TryGetValue(path, out var module) ? module : null;
}
