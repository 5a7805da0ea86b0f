using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>Where the tensors of a model that serves lie, and whose products it takes.</summary>
public sealed class ModelBackend
{
    // Not made where nobody asks for it: libtorch may know no such device.
    private static readonly Lazy<ModelBackend> s_graphics = new(() => new(ComputeDevice.OfGraphics, sharesMemory: false, usesKernels: false, ScalarType.BFloat16));

    private ModelBackend(Device device, bool sharesMemory, bool usesKernels, ScalarType cacheType) =>
        (Device, SharesMemory, UsesKernels, CacheType) = (device, sharesMemory, usesKernels, cacheType);

    /// <summary>The processor: few rows are multiplied by our own kernels, whose bits depend on their own row only. Keys and values are float32.</summary>
    public static ModelBackend Processor { get; } = new(ComputeDevice.OfProcessor, sharesMemory: true, usesKernels: true, ScalarType.Float32);

    /// <summary>
    /// A GPU: all products are libtorch's, in the type of the weights, and keys and values are bfloat16. A row's last bits may depend on how many rows
    /// stand beside it.
    /// </summary>
    public static ModelBackend Graphics => s_graphics.Value;

    internal Device Device { get; }

    /// <summary>Whether files can be read into its tensors.</summary>
    internal bool SharesMemory { get; }

    internal bool UsesKernels { get; }

    internal ScalarType CacheType { get; }

    /// <summary>What a GPU computes, on the processor: for comparisons.</summary>
    internal static ModelBackend LibtorchAlone(ScalarType cacheType) => new(ComputeDevice.OfProcessor, sharesMemory: true, usesKernels: false, cacheType);
}
