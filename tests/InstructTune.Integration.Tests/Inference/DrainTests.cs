using Grpc.Core;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class DrainTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_text_that_is_being_made_is_finished_when_the_server_stops()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        using var channel = host.Connect();
        var client = new InferenceService.InferenceServiceClient(channel);
        using var call = client.StreamGenerate(Requests.Endless(InferenceHost.Base), cancellationToken: _ct);
        Assert.True(await call.ResponseStream.MoveNext(_ct));
        var turn = host.Turns.Enter(_ct);

        var stopped = host.StopAsync();
        var late = await Assert.ThrowsAsync<RpcException>(
            () => client.GenerateAsync(Requests.Greedy(InferenceHost.Base, "late"), cancellationToken: _ct).ResponseAsync);
        turn.Dispose();
        var last = call.ResponseStream.Current;
        while (await call.ResponseStream.MoveNext(_ct))
        {
            last = call.ResponseStream.Current;
        }

        Assert.Equal(StatusCode.Unavailable, late.StatusCode);
        Assert.Equal(FinishReason.Length, last.FinishReason);
        await stopped;
    }
}
