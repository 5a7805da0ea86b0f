using TorchSharp;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Numerics;

/// <summary>Where new tensors are made: libtorch's default device. The one place that knows devices by name.</summary>
public static class ComputeDevice
{
    /// <summary>The name of the machine's own processors, where our kernels compute.</summary>
    public const string Processor = "cpu";

    /// <summary>The name of a GPU that libtorch knows, where it was built for one.</summary>
    public const string Graphics = "cuda";

    /// <summary>Such as cpu, for fingerprints.</summary>
    public static string Name => get_default_device().type.ToString().ToLowerInvariant();

    /// <summary>Whether libtorch is there and, as it was built, finds a GPU. Loads libtorch.</summary>
    public static bool HasGraphics
    {
        get
        {
            try
            {
                return cuda.is_available();
            }
            catch (Exception exception) when (exception is TypeInitializationException or NotSupportedException)
            {
                return false;
            }
        }
    }

    /// <summary>Whether tensors lie in memory that kernels of our own can read.</summary>
    public static bool SharesMemory => get_default_device().type == DeviceType.CPU;

    internal static Device OfProcessor => CPU;

    internal static Device OfGraphics => CUDA;
}
