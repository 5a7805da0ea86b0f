using System.Runtime.InteropServices;

namespace InstructTune.Cli.CommandLine;

/// <summary>
/// Ctrl+C and SIGTERM: the first asks the command to stop in good order, the second to stop waiting for that, the third ends
/// the process.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _first = new();
    private readonly CancellationTokenSource _second = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _count;

    public CancellationToken First => _first.Token;

    public CancellationToken Second => _second.Token;

    public void ListenToSignals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }
    }

    public void Interrupt()
    {
        switch (Interlocked.Increment(ref _count))
        {
            case 1:
                _first.Cancel();
                break;
            case 2:
                _second.Cancel();
                break;
            default:
                Environment.Exit(ExitCode.Interrupted);
                break;
        }
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _first.Dispose();
        _second.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        Interrupt();
    }
}
