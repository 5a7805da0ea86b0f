using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Requests;

/// <summary>When the process is asked to stop, requests that have not begun are told to go elsewhere at once, while those that run are finished.</summary>
internal sealed class WaitingDrain(EngineLoop engine, IHostApplicationLifetime lifetime) : IHostedService, IDisposable
{
    private CancellationTokenRegistration _registration;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registration = lifetime.ApplicationStopping.Register(engine.RefuseWaiting);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _registration.Dispose();
}
