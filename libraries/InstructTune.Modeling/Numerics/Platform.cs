using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace InstructTune.Modeling.Numerics;

/// <summary>What the process must find to compute right. Checked once, when it starts.</summary>
public static class Platform
{
    /// <summary>Refuses, in one sentence, a machine where libtorch cannot load or text cannot be normalised.</summary>
    /// <exception cref="PlatformNotSupportedException">Something is missing.</exception>
    public static void Require()
    {
        if (Problem(CurrentSystem(), Fma.IsSupported, AppContext.TryGetSwitch("System.Globalization.Invariant", out var invariant) && invariant, NormalizationWorks()) is { } problem)
        {
            throw new PlatformNotSupportedException(problem);
        }
    }

    internal static string? Problem(string system, bool hasVectorUnit, bool invariantGlobalization, bool normalizationWorks)
    {
        if (system != "linux-x64-glibc")
        {
            return $"InstructTune computes with libtorch for 64-bit x86 Linux with glibc, and this machine is {system}; run it in the container image or on such a machine.";
        }

        if (!hasVectorUnit)
        {
            return "InstructTune computes with AVX2 and FMA instructions, and this processor, or the virtual machine around it, offers none; run it on another.";
        }

        return invariantGlobalization || !normalizationWorks
            ? "Text cannot be normalised because ICU is missing or globalization is invariant, which would give wrong token ids; install libicu and leave DOTNET_SYSTEM_GLOBALIZATION_INVARIANT unset."
            : null;
    }

    private static string CurrentSystem()
    {
        var system = OperatingSystem.IsLinux() ? "linux" : RuntimeInformation.OSDescription;
        var processor = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        if (!OperatingSystem.IsLinux())
        {
            return $"{system}-{processor}";
        }

        var library = NativeLibrary.TryLoad("libc.so.6", out _) ? "glibc" : "another C library";
        return $"{system}-{processor}-{library}";
    }

    private static bool NormalizationWorks() =>
        "e\u0301".Normalize(NormalizationForm.FormC) == "\u00e9" && CultureInfo.InvariantCulture.TextInfo.ToUpper('\u00e9') == '\u00c9';
}
