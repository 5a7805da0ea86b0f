using System.Runtime.InteropServices;
using InstructTune.Benchmarks.Serving;

namespace InstructTune.LlamaCppPeer;

/// <summary>Which native library is loaded, from where, and what it says about itself.</summary>
internal static partial class PeerFacts
{
    public static DecodeRun Read()
    {
        var library = File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains("libggml-cpu", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..])
            .FirstOrDefault() ?? "none";
        var parts = library.Split('/');
        var package = typeof(LLama.LLamaWeights).Assembly.GetName();
        return new DecodeRun(0, [], [], $"{package.Name} {package.Version}, library {string.Join('/', parts[Math.Max(0, parts.Length - 2)..])}; {Marshal.PtrToStringUTF8(SystemInfo())}");
    }

    [LibraryImport("llama", EntryPoint = "llama_print_system_info")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial nint SystemInfo();
}
