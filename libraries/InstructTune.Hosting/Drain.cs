using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace InstructTune.Hosting;

/// <summary>
/// The end of a process in its order: not ready, new calls refused by name while the port still answers, calls under way
/// finished, then everything else. A second signal ends it at once.
/// </summary>
internal sealed partial class Drain : IHostedLifecycleService, IDisposable
{
    private const int ExitCodeOfSignals = 128;

    private static readonly (PosixSignal Signal, int Number)[] Signals = [(PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15)];

    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;
    private int _signals;

    public Drain(IHostApplicationLifetime lifetime, IOptions<DrainOptions> options, TimeProvider clock, ILogger<Drain> logger)
    {
        (_lifetime, _limit, _clock, _logger) = (lifetime, options.Value.Limit, clock, logger);
        _registrations = Array.ConvertAll(Signals, known => PosixSignalRegistration.Create(known.Signal, _ => Signalled(known.Number)));
    }

    /// <summary>Runs a call and knows that it runs. Health and figures are asked for until the end and hold nothing up.</summary>
    public async Task CountAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.StartsWithSegments(Draining.HealthPath, StringComparison.Ordinal) || context.Request.Path == MetricsEndpoint.Path)
        {
            await next(context);
            return;
        }

        Interlocked.Increment(ref _calls);
        try
        {
            await next(context);
        }
        finally
        {
            if (Interlocked.Decrement(ref _calls) == 0 && _lifetime.ApplicationStopping.IsCancellationRequested)
            {
                _idle.TrySetResult();
            }
        }
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Where the process is not stopped by a signal, nobody has said so yet.
        _lifetime.StopApplication();
        var running = Volatile.Read(ref _calls);
        if (running == 0)
        {
            return;
        }

        try
        {
            await _idle.Task.WaitAsync(_limit, _clock, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            Log.GivesUp(_logger, Volatile.Read(ref _calls), _limit);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => Array.ForEach(_registrations, registration => registration.Dispose());

    private void Signalled(int number)
    {
        if (Interlocked.Increment(ref _signals) > 1)
        {
            // Not Environment.Exit: that would run the end of native libraries whose threads still compute.
            ExitNow(ExitCodeOfSignals + number);
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);

    private static partial class Log
    {
        [LoggerMessage(1010, LogLevel.Warning, "{Calls} calls did not finish within {Limit}; they are broken off.")]
        public static partial void GivesUp(ILogger logger, int calls, TimeSpan limit);
    }
}
