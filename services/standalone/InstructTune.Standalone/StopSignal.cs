using System.Runtime.InteropServices;

namespace InstructTune.Standalone;

/// <summary>Fires once the process is asked to stop: SIGINT, SIGTERM, or the end of standard input where that was asked for.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignal(bool exitOnStdinClose)
    {
        _registrations = [Register(PosixSignal.SIGINT), Register(PosixSignal.SIGTERM)];
        if (exitOnStdinClose)
        {
            _ = StopAtEndOfInputAsync();
        }
    }

    public CancellationToken Token => _stop.Token;

    public Task WaitAsync()
    {
        var stopped = new TaskCompletionSource();
        _stop.Token.Register(stopped.SetResult);
        return stopped.Task;
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _stop.Dispose();
    }

    private PosixSignalRegistration Register(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        // A second signal takes its default action and ends the process at once.
        context.Cancel = !_stop.IsCancellationRequested;
        _stop.Cancel();
    });

    private async Task StopAtEndOfInputAsync()
    {
        await using var input = Console.OpenStandardInput();
        var buffer = new byte[256];
        while (await input.ReadAsync(buffer, _stop.Token) > 0)
        {
        }

        await _stop.CancelAsync();
    }
}
