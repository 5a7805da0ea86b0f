using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>A registry and a store of artifacts for inference services that are processes of their own.</summary>
internal sealed class InferenceSite : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly FakeRegistry _registry;
    private readonly TestServer _registryServer;
    private readonly DiskArtifactStore _artifacts;

    private InferenceSite(TemporaryFolder folder, FakeRegistry registry, TestServer registryServer)
    {
        (_folder, _registry, _registryServer) = (folder, registry, registryServer);
        _artifacts = new DiskArtifactStore(new StorageOptions { Root = folder.Path });
    }

    public static async Task<InferenceSite> StartAsync()
    {
        var registry = new FakeRegistry();
        var server = await TestServer.StartAsync(builder => builder.Services.AddSingleton(registry), app => app.MapGrpcService<FakeRegistry>());
        return new InferenceSite(new TemporaryFolder(), registry, server);
    }

    /// <summary>Publishes a version with what is written to a folder.</summary>
    public async Task PublishAsync(string name, Action<string> write, string? baseName = null)
    {
        using var staging = _artifacts.CreateStaging();
        write(staging.Path);
        _registry.Put(name, (await _artifacts.PublishAsync(staging, TestContext.Current.CancellationToken)).Sha256, baseName);
    }

    /// <summary>A service on one thread.</summary>
    public Task<ServiceProcess> ServeAsync(params (string Key, string Value)[] settings) => ServiceProcess.StartAsync(
        Path.Combine(AppContext.BaseDirectory, "InstructTune.Inference"), TestContext.Current.CancellationToken,
        [("Storage:Root", _folder.Path), ("Peers:Trainer", _registryServer.Address), ("Torch:Threads", "1"), .. settings]);

    public async ValueTask DisposeAsync()
    {
        await _registryServer.DisposeAsync();
        _folder.Dispose();
    }
}
