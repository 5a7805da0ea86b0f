using Google.Protobuf;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer.Api;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.AspNetCore.Builder;

namespace InstructTune.Integration.Tests.ModelRegistry;

/// <summary>The model registry over real HTTP/2, with an empty folder of its own.</summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TestServer? _server;
    private int _models;

    public string Root => _folder.Path;

    public ModelRegistryService.ModelRegistryServiceClient Client => new(_server!.Channel);

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(
        builder => builder.Services.AddStorage(builder.Configuration).AddModelRegistry(),
        app => app.MapGrpcService<ModelRegistryGrpcService>(),
        ("Storage:Root", _folder.Path));

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>The name of a model that does not exist yet.</summary>
    public string NewModel() => $"models/model-{Interlocked.Increment(ref _models)}";

    public async Task<ModelVersion> UploadAsync(UploadModelVersionRequest.Types.Header header, Dictionary<string, byte[]> files)
    {
        using var call = Client.UploadModelVersion(cancellationToken: TestContext.Current.CancellationToken);
        try
        {
            await call.RequestStream.WriteAsync(new UploadModelVersionRequest { Header = header });
            foreach (var (name, content) in files)
            {
                foreach (var piece in content.Length == 0 ? [[]] : content.Chunk(10_000))
                {
                    await call.RequestStream.WriteAsync(Chunk(name, piece));
                }
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // The server refused before the end; the response says why.
        }

        return await call.ResponseAsync;
    }

    public Task<ModelVersion> UploadAsync(string parent) => UploadAsync(new() { Parent = parent }, TinyModel.Files());

    public static UploadModelVersionRequest Chunk(string name, byte[] bytes) => new()
    {
        Chunk = new UploadModelVersionRequest.Types.Chunk { FileName = name, Data = ByteString.CopyFrom(bytes) },
    };

    /// <summary>The error with which a call fails.</summary>
    internal static async Task<DomainException> FailureAsync(Func<Task> call)
    {
        var failure = ErrorStatus.FromPeer(await Assert.ThrowsAsync<RpcException>(call));
        Assert.NotNull(failure);
        return failure;
    }
}
