using Grpc.Core;
using Grpc.Net.Client;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class SlowReaderTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reader_who_does_not_read_loses_the_stream_and_nobody_else_anything()
    {
        // 16 texts with reports of many tokens: more than the windows of HTTP/2 hold.
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:SlowReaderTimeout", "00:00:00.5"));
        var other = Requests.Sampled(InferenceHost.Red, "the other one", seed: 8, maxTokens: 60);
        var expected = await host.GenerateAsync(other);
        using var channel = GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions { InitialReconnectBackoff = TimeSpan.FromSeconds(1) });
        var slow = Requests.Endless(InferenceHost.Base);
        slow.Sampling.N = 16;
        slow.TopLogprobs = 20;
        using var call = new InferenceService.InferenceServiceClient(channel).StreamGenerate(slow, cancellationToken: _ct);
        Assert.True(await call.ResponseStream.MoveNext(_ct));

        // The engine does not wait for the reader: it makes every token, or stops when the stream is broken off. Others beside it go on as ever.
        var beside = 0;
        while (host.Calls.Count > 0 && beside < 100)
        {
            Assert.Equal(expected.TokenIds, (await host.GenerateAsync(other)).TokenIds);
            beside++;
        }
        Assert.InRange(beside, 1, 99);
        await Eventually.HoldsAsync(() => host.Calls.Count == 0, "the call of the slow reader has ended");

        await host.IsIdleAsync();
        Assert.Equal(expected.TokenIds, (await host.GenerateAsync(other)).TokenIds);
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(_ct))
            {
            }
        });
    }
}
