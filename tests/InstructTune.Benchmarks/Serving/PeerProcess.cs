using System.Diagnostics;
using System.Text.Json;

namespace InstructTune.Benchmarks.Serving;

/// <summary>llama.cpp in its own process.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    public PeerProcess(string program) =>
        _process = Process.Start(new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;

    public DecodeRun Ask(PeerRequest request)
    {
        _process.StandardInput.WriteLine(JsonSerializer.Serialize(request));
        _process.StandardInput.Flush();
        return _process.StandardOutput.ReadLine() is { } line
            ? JsonSerializer.Deserialize<DecodeRun>(line)!
            : throw new InvalidOperationException($"llama.cpp's process ended while it was asked to {request.Action}; what it wrote is above.");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
