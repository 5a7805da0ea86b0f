using Grpc.Core;
using InstructTune.Dataset;
using InstructTune.Gateway;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.AspNetCore.Builder;

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
    public async Task Every_method_of_every_service_refuses_a_call_without_a_key()
    {
        Google.Protobuf.Reflection.ServiceDescriptor[] services =
        [
            DatasetService.Descriptor, FineTuneService.Descriptor, ModelRegistryService.Descriptor, InferenceService.Descriptor, EvaluationService.Descriptor,
        ];
        var invoker = _gateway.Channel.CreateCallInvoker();
        var bytes = Marshallers.Create<byte[]>(content => content, content => content);
        foreach (var method in services.SelectMany(service => service.Methods))
        {
            var raw = new Method<byte[], byte[]>(MethodType.Unary, method.Service.FullName, method.Name, bytes, bytes);

            var failed = await Assert.ThrowsAsync<RpcException>(
                () => invoker.AsyncUnaryCall(raw, null, new CallOptions(cancellationToken: Cancelled), []).ResponseAsync);

            Assert.Equal(StatusCode.Unauthenticated, failed.StatusCode);
        }
    }

    [Fact]
    public async Task Services_are_told_whose_call_it_is_by_the_key_and_not_by_the_caller()
    {
        const string header = "instructtune-tenant";
        const string other = "another-key-of-enough-characters";
        List<string?> tenants = [];
        await using var peer = await TestServer.StartAsync(
            _ => { },
            app => app.Run(context =>
            {
                tenants.Add(context.Request.Headers[header]);
                context.Response.StatusCode = 404;
                return Task.CompletedTask;
            }));
        await using var gateway = await TestServer.StartAsync(
            builder => builder.AddGateway(),
            app => app.MapGateway(),
            ("Gateway:ApiKeys:0", Key), ("Gateway:ApiKeys:1", other), ("Peers:Dataset", peer.Address), ("Peers:Trainer", peer.Address),
            ("Peers:Evaluation", peer.Address), ("Peers:Inference", peer.Address));
        var client = new InferenceService.InferenceServiceClient(gateway.Channel);

        foreach (var key in new[] { Key, other, Key })
        {
            Metadata metadata = [new("authorization", "Bearer " + key), new(header, "victim")];
            await Assert.ThrowsAsync<RpcException>(
                () => client.ListServedModelsAsync(new ListServedModelsRequest(), metadata, cancellationToken: Cancelled).ResponseAsync);
        }

        Assert.Equal(3, tenants.Count);
        Assert.Equal(tenants[0], tenants[2]);
        Assert.Equal(2, tenants.Distinct().Count());
        Assert.All(tenants, tenant => Assert.Matches("^key-[0-9a-f]{16}$", tenant));
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
