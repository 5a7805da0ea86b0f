using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using InstructTune.Gateway;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.AspNetCore.Builder;

namespace InstructTune.Integration.Tests.Gateway;

/// <summary>A real gateway in front of an inference service that says yes to everything it is asked.</summary>
public sealed class AdministratorTests : IAsyncLifetime
{
    private const string Key = "a-key-of-enough-characters";
    private const string AdminKey = "an-administrator-s-own-key";

    private static readonly (string Name, IMessage Request)[] _methods =
    [
        ("LoadModelVersion", new LoadModelVersionRequest()), ("UnloadModelVersion", new UnloadModelVersionRequest()), ("ListServedModels", new ListServedModelsRequest()),
    ];

    private TestServer _services = null!;

    public async ValueTask InitializeAsync() =>
        _services = await TestServer.StartAsync(_ => { }, app => app.MapGrpcService<Willing>());

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    [Fact]
    [Covers("InferenceService/LoadModelVersion", "ADMIN_KEY_REQUIRED")]
    [Covers("InferenceService/UnloadModelVersion", "ADMIN_KEY_REQUIRED")]
    [Covers("InferenceService/ListServedModels", "ADMIN_KEY_REQUIRED")]
    public async Task What_administrators_do_is_refused_to_other_keys_and_everything_else_is_not()
    {
        await using var gateway = await StartAsync(("Gateway:ApiKeys:0", Key), ("Gateway:AdminApiKeys:0", AdminKey));
        foreach (var (name, request) in _methods)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => CallAsync(gateway, Key, name, request));

            Assert.Equal((StatusCode.PermissionDenied, ErrorReason.AdminKeyRequired), (refused.StatusCode, ErrorStatus.FromPeer(refused)!.Reason));
            await CallAsync(gateway, AdminKey, name, request);
        }

        await CallAsync(gateway, Key, "GetServingStats", new GetServingStatsRequest());
        await CallAsync(gateway, AdminKey, "GetServingStats", new GetServingStatsRequest());
    }

    [Theory]
    [InlineData("instructtune.v1.InferenceService", "unloadmodelversion")]
    [InlineData("INSTRUCTTUNE.V1.INFERENCESERVICE", "UnloadModelVersion")]
    [InlineData("instructtune.v1.InferenceService", "UnloadModelVersion/")]
    [InlineData("instructtune.v1.InferenceService", "Unload%4DodelVersion")]
    public async Task No_other_spelling_of_a_method_passes(string service, string method)
    {
        await using var gateway = await StartAsync(("Gateway:ApiKeys:0", Key), ("Gateway:AdminApiKeys:0", AdminKey));

        var refused = await Assert.ThrowsAsync<RpcException>(() => CallAsync(gateway, Key, method, new UnloadModelVersionRequest(), service));

        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    [Fact]
    public async Task Without_administrators_every_key_is_one()
    {
        await using var gateway = await StartAsync(("Gateway:ApiKeys:0", Key));
        foreach (var (name, request) in _methods)
        {
            await CallAsync(gateway, Key, name, request);
        }
    }

    [Fact]
    public async Task Where_anybody_may_call_administrators_still_need_their_key()
    {
        await using var gateway = await StartAsync(("Gateway:AllowAnonymous", "true"), ("Gateway:AdminApiKeys:0", AdminKey));
        await CallAsync(gateway, null, "GetServingStats", new GetServingStatsRequest());
        await CallAsync(gateway, AdminKey, "ListServedModels", new ListServedModelsRequest());

        var refused = await Assert.ThrowsAsync<RpcException>(() => CallAsync(gateway, null, "ListServedModels", new ListServedModelsRequest()));

        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    [Fact]
    public async Task A_short_key_of_an_administrator_stops_the_gateway()
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(("Gateway:ApiKeys:0", Key), ("Gateway:AdminApiKeys:0", "short")));

        Assert.Contains("Gateway:AdminApiKeys", refused.Message, StringComparison.Ordinal);
    }

    private Task<TestServer> StartAsync(params (string Key, string Value)[] settings) => TestServer.StartAsync(
        builder => builder.AddGateway(),
        app => app.MapGateway(),
        [.. settings, .. new[] { "Dataset", "Trainer", "Evaluation", "Inference" }.Select(peer => ($"Peers:{peer}", _services.Address))]);

    private static async Task CallAsync(
        TestServer gateway, string? key, string method, IMessage request, string service = "instructtune.v1.InferenceService")
    {
        var bytes = Marshallers.Create<byte[]>(content => content, content => content);
        Metadata metadata = key is null ? [] : new() { { "authorization", "Bearer " + key } };
        await gateway.Channel.CreateCallInvoker().AsyncUnaryCall(
            new Method<byte[], byte[]>(MethodType.Unary, service, method, bytes, bytes), null,
            new CallOptions(metadata, cancellationToken: TestContext.Current.CancellationToken), request.ToByteArray()).ResponseAsync;
    }

    private sealed class Willing : InferenceService.InferenceServiceBase
    {
        public override Task<ServedModel> LoadModelVersion(LoadModelVersionRequest request, ServerCallContext context) => Task.FromResult(new ServedModel());

        public override Task<Empty> UnloadModelVersion(UnloadModelVersionRequest request, ServerCallContext context) => Task.FromResult(new Empty());

        public override Task<ListServedModelsResponse> ListServedModels(ListServedModelsRequest request, ServerCallContext context) =>
            Task.FromResult(new ListServedModelsResponse());

        public override Task<ServingStats> GetServingStats(GetServingStatsRequest request, ServerCallContext context) => Task.FromResult(new ServingStats());
    }
}
