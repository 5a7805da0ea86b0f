using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Numerics;

/// <summary>What results depend on besides their inputs. Where two fingerprints agree, bits must.</summary>
public static class NumericsFingerprint
{
    /// <summary>The facts of this process, by name.</summary>
    public static IReadOnlyDictionary<string, string> Current() => OfServing(ComputeDevice.Name, "float32");

    /// <summary>The facts of a model that libtorch serves.</summary>
    /// <param name="device">Where it lies.</param>
    /// <param name="elementType">Of its weights.</param>
    public static IReadOnlyDictionary<string, string> OfServing(string device, string elementType) => new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["device"] = device,
        ["element_type"] = elementType,
        ["libtorch"] = __version__,
        // Masks and noise were drawn by pass before they were drawn by example: such jobs do not repeat their bits.
        ["random_scheme"] = StepSeed.Scheme + ", by example",
        ["runtime"] = Environment.Version.ToString(),
        ["threads"] = TorchThreads.Count.ToString(CultureInfo.InvariantCulture),
        ["torchsharp"] = typeof(Tensor).Assembly.GetName().Version?.ToString() ?? "unknown",
        ["vector_instructions"] = VectorInstructions(),
    };

    /// <summary>The facts of a process whose steps our own kernels compute; libtorch has no part in them and is not loaded.</summary>
    public static IReadOnlyDictionary<string, string> OfKernels(string weightFormat, int threads) => new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["device"] = ComputeDevice.Processor,
        ["element_type"] = weightFormat,
        ["kernels"] = typeof(Kernels.KernelMatrix).Assembly.GetName().Version?.ToString() ?? "unknown",
        ["runtime"] = Environment.Version.ToString(),
        ["threads"] = threads.ToString(CultureInfo.InvariantCulture),
        ["vector_instructions"] = VectorInstructions(),
    };

    /// <summary>The facts as one line, ordered by name.</summary>
    public static string ToText(IReadOnlyDictionary<string, string> facts) =>
        string.Join(' ', facts.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}={f.Value}"));

    private static string VectorInstructions() =>
        Avx512F.IsSupported ? "avx512" : Avx2.IsSupported ? "avx2" : Avx.IsSupported ? "avx" : "none";
}
