using System.Text;
using Google.Protobuf;
using Grpc.Core;
using InstructTune.Dataset;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Dataset;

/// <summary>The dataset service over real HTTP/2, with an empty folder of its own.</summary>
public sealed class DatasetFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TestServer? _server;
    private int _datasets;

    public string Root => _folder.Path;

    public DatasetService.DatasetServiceClient Client => new(_server!.Channel);

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(
        builder => builder.AddDataset(), app => app.MapDataset(), ("Storage:Root", _folder.Path));

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>The name of a new, empty dataset.</summary>
    public async Task<string> NewDatasetAsync()
    {
        var id = $"set-{Interlocked.Increment(ref _datasets)}";
        return (await Client.CreateDatasetAsync(new CreateDatasetRequest { DatasetId = id })).Name;
    }

    public async Task<DatasetVersion> UploadAsync(string parent, SourceOptions? options, params (string Name, string Text)[] files)
    {
        using var call = Client.UploadDataset(cancellationToken: TestContext.Current.CancellationToken);
        try
        {
            await call.RequestStream.WriteAsync(Header(parent, options));
            foreach (var (name, text) in files)
            {
                // Pieces of 7 bytes cut lines and characters in two.
                foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(7))
                {
                    await call.RequestStream.WriteAsync(Chunk(name, piece));
                }
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            // The server has ended the call while we were writing: its answer says why, the broken pipe does not.
        }

        return await call.ResponseAsync;
    }

    public static UploadDatasetRequest Header(string parent, SourceOptions? options = null) =>
        new() { Header = new UploadDatasetRequest.Types.Header { Parent = parent, Options = options } };

    public static UploadDatasetRequest Chunk(string name, byte[] bytes) => new()
    {
        Chunk = new UploadDatasetRequest.Types.Chunk { FileName = name, Data = ByteString.CopyFrom(bytes) },
    };

    public async Task<List<StreamExamplesResponse>> StreamAsync(string version, long startIndex = 0, long count = 0)
    {
        using var call = Client.StreamExamples(
            new StreamExamplesRequest { Name = version, StartIndex = startIndex, ExampleCount = count },
            cancellationToken: TestContext.Current.CancellationToken);
        return await call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The error with which a call fails.</summary>
    internal static async Task<DomainException> FailureAsync(Func<Task> call)
    {
        var failure = ErrorStatus.FromPeer(await Assert.ThrowsAsync<RpcException>(call));
        Assert.NotNull(failure);
        return failure;
    }

    internal static Task<DomainException> FailureAsync<T>(AsyncUnaryCall<T> call) => FailureAsync(() => call.ResponseAsync);

    public static string Rows(int count, string task = "") => string.Concat(Enumerable.Range(0, count)
        .Select(i => $$"""{"instruction":"question {{i}}","output":"answer {{i}}","task":"{{task}}"}""" + "\n"));
}
