using System.Buffers.Binary;
using System.Runtime.InteropServices;
using InstructTune.Benchmarks.Serving;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Serving;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>An artifact store with the base and its adapters, and a registry that knows them.</summary>
internal sealed class TrafficStore : IAsyncDisposable
{
    public const int Adapters = 16;

    /// <summary>One more, which nothing is measured with.</summary>
    public const int WarmUpAdapter = Adapters;

    public const string Base = "models/base/versions/1";

    private readonly FakeRegistry _registry;
    private readonly TestServer _server;

    private TrafficStore(string root, FakeRegistry registry, TestServer server) => (Root, _registry, _server) = (root, registry, server);

    public string Root { get; }

    public string RegistryAddress => _server.Address;

    public string BaseSha256 => _registry.ContentOf(Base);

    public static string AdapterOf(int index) => $"models/adapter-{index}/versions/1";

    public static async Task<TrafficStore> MakeAsync(string root, string models)
    {
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        var registry = new FakeRegistry();
        var artifacts = new DiskArtifactStore(new StorageOptions { Root = root });
        registry.Put(Base, await PublishAsync(artifacts, folder => WriteBase(folder, models)));
        for (var i = 0; i <= WarmUpAdapter; i++)
        {
            var index = i;
            registry.Put(AdapterOf(i), await PublishAsync(artifacts, folder => WriteAdapter(folder, models, index)), Base);
        }

        var server = await TestServer.StartAsync(builder => builder.Services.AddSingleton(registry), app => app.MapGrpcService<FakeRegistry>());
        return new TrafficStore(root, registry, server);
    }

    /// <summary>The weights file of an adapter in the store.</summary>
    public string AdapterFile(int index) => Path.Combine(Root, "artifacts", _registry.ContentOf(AdapterOf(index)), "adapter_model.safetensors");

    public string BaseFolder => Path.Combine(Root, "artifacts", BaseSha256);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(Root, recursive: true);
    }

    private static async Task<string> PublishAsync(DiskArtifactStore artifacts, Action<string> write)
    {
        using var staging = artifacts.CreateStaging();
        write(staging.Path);
        return (await artifacts.PublishAsync(staging, CancellationToken.None)).Sha256;
    }

    /// <summary>As the registry keeps an upload that is one GGUF file.</summary>
    private static void WriteBase(string folder, string models)
    {
        var gguf = Path.Combine(models, ServingModel.SmolLm, "Q8_0.gguf");
        GgufImport.ToFolder(gguf, folder);
        File.Copy(gguf, Path.Combine(folder, KernelModelFolder.StoredName));
    }

    /// <summary>The adapters of the serving benchmark, and as many again with the signs of their numbers drawn anew.</summary>
    private static void WriteAdapter(string folder, string models, int index)
    {
        var source = Path.Combine(models, ServingModel.SmolLm, $"adapter-{index % ServingModels.Adapters}");
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(source, "adapter_config.json"), Path.Combine(folder, "adapter_config.json"));
        var content = File.ReadAllBytes(Path.Combine(source, "adapter_model.safetensors"));
        if (index >= ServingModels.Adapters)
        {
            DrawSigns(content, new Random(index));
        }

        AtomicFile.Write(Path.Combine(folder, "adapter_model.safetensors"), content);
    }

    private static void DrawSigns(byte[] content, Random random)
    {
        var header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(content);
        foreach (ref var value in MemoryMarshal.Cast<byte, float>(content.AsSpan(header)))
        {
            value = random.Next(2) == 0 ? value : -value;
        }
    }
}
