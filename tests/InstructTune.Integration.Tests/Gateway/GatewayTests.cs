using Grpc.Core;
using InstructTune.Dataset;
using InstructTune.Gateway;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Gateway;

/// <summary>A real gateway in front of a real dataset service; the other peers are addresses where nobody listens.</summary>
public sealed class GatewayTests : IAsyncLifetime
{
    private const string Key = "a-key-of-enough-characters";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("instructtune-test-");
    private TestServer _dataset = null!;
    private TestServer _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _dataset = await TestServer.StartAsync(
            builder => builder.AddDataset(), app => app.MapDataset(), ("Storage:Root", _folder.FullName));
        _gateway = await TestServer.StartAsync(
            builder => builder.AddGateway(),
            app => app.MapGateway(),
            ("Gateway:ApiKeys:0", Key),
            ("Peers:Dataset", _dataset.Address),
            ("Peers:Trainer", "unix:" + Path.Combine(_folder.FullName, "nobody.sock")),
            ("Peers:Evaluation", "unix:" + Path.Combine(_folder.FullName, "nobody.sock")),
            ("Peers:Inference", "unix:" + Path.Combine(_folder.FullName, "nobody.sock")));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _dataset.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_call_with_the_key_reaches_its_service()
    {
        var client = new DatasetService.DatasetServiceClient(_gateway.Channel);

        var made = await client.CreateDatasetAsync(
            new CreateDatasetRequest { DatasetId = "reviews", Dataset = new V1.Dataset() }, Authorization(Key), cancellationToken: Cancelled);

        Assert.Equal("datasets/reviews", made.Name);
    }

    [Fact]
    public async Task An_error_of_a_service_passes_the_gateway_with_its_reason()
    {
        var client = new DatasetService.DatasetServiceClient(_gateway.Channel);

        var failed = await Assert.ThrowsAsync<RpcException>(async () => await client.GetDatasetAsync(
            new GetDatasetRequest { Name = "datasets/unknown" }, Authorization(Key), cancellationToken: Cancelled));

        Assert.Equal(StatusCode.NotFound, failed.StatusCode);
        Assert.Equal(ErrorReason.ResourceNotFound, ErrorStatus.FromPeer(failed)?.Reason);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer wrong-key-wrong-key")]
    [InlineData("Bearer ")]
    [InlineData(Key)]
    public async Task A_call_without_the_right_key_goes_no_further(string? authorization)
    {
        var client = new DatasetService.DatasetServiceClient(_gateway.Channel);
        var metadata = authorization is null ? [] : new Metadata { { "authorization", authorization } };

        var failed = await Assert.ThrowsAsync<RpcException>(async () => await client.ListDatasetsAsync(
            new ListDatasetsRequest(), metadata, cancellationToken: Cancelled));

        Assert.Equal(StatusCode.Unauthenticated, failed.StatusCode);
        Assert.Equal(ErrorReason.ApiKeyInvalid, ErrorStatus.FromPeer(failed)?.Reason);
    }

    [Fact]
    public async Task A_service_that_is_away_is_named_and_may_be_tried_again()
    {
        var client = new ModelRegistryService.ModelRegistryServiceClient(_gateway.Channel);

        var failed = await Assert.ThrowsAsync<RpcException>(async () => await client.ListModelsAsync(
            new ListModelsRequest(), Authorization(Key), cancellationToken: Cancelled));

        Assert.Equal(StatusCode.Unavailable, failed.StatusCode);
        var error = ErrorStatus.FromPeer(failed);
        Assert.Equal(ErrorReason.PeerUnreachable, error?.Reason);
        Assert.Equal("Trainer", error?.Metadata["service"]);
    }

    [Fact]
    public async Task A_gateway_without_keys_refuses_to_start()
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => TestServer.StartAsync(
            builder => builder.AddGateway(),
            app => app.MapGateway(),
            ("Peers:Dataset", _dataset.Address),
            ("Peers:Trainer", _dataset.Address),
            ("Peers:Evaluation", _dataset.Address),
            ("Peers:Inference", _dataset.Address)));
        Assert.Contains("Gateway:ApiKeys:0", refused.Message, StringComparison.Ordinal);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static Metadata Authorization(string key) => new() { { "authorization", "Bearer " + key } };
}
