using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Serving;

namespace InstructTune.Inference.Models;

/// <summary>An adapter in the form that its base computes with.</summary>
internal abstract class LoadedAdapter : IDisposable
{
    public abstract long SizeBytes { get; }

    public abstract void Dispose();
}

/// <summary>As tensors of libtorch.</summary>
internal sealed class TensorAdapter(BankedAdapter adapter) : LoadedAdapter
{
    public BankedAdapter Adapter => adapter;

    public override long SizeBytes => adapter.SizeBytes;

    public override void Dispose() => adapter.Dispose();
}

/// <summary>Packed for our kernels.</summary>
internal sealed class PackedAdapter(KernelAdapter adapter) : LoadedAdapter
{
    public KernelAdapter Adapter => adapter;

    public override long SizeBytes => adapter.SizeBytes;

    public override void Dispose() => adapter.Dispose();
}
