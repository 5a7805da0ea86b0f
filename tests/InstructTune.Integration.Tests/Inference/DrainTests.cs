using Google.Rpc;
using Grpc.Core;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

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

    [Fact]
    public async Task Who_waits_for_a_slot_when_the_server_stops_is_told_to_come_back_while_texts_that_are_made_are_finished()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:MaxRunning", "1"));
        using var channel = host.Connect();
        var client = new InferenceService.InferenceServiceClient(channel);
        using var call = client.StreamGenerate(Requests.Endless(InferenceHost.Base), cancellationToken: _ct);
        Assert.True(await call.ResponseStream.MoveNext(_ct));
        var waiting = client.GenerateAsync(Requests.Greedy(InferenceHost.Base, "waits", maxTokens: 2), cancellationToken: _ct).ResponseAsync;
        var scoring = client.ScoreAsync(Requests.Score(InferenceHost.Base, ("a", "b")), cancellationToken: _ct).ResponseAsync;
        await Eventually.HoldsAsync(() => host.Engine.Counters.Waiting == 2, "two wait");
        var turn = host.Turns.Enter(_ct);
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        var stopped = host.StopAsync();
        await Eventually.HoldsAsync(() => stopping.IsCancellationRequested, "the server stops");
        turn.Dispose();

        foreach (var refused in new Task[] { waiting, scoring })
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => refused);
            Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
            Assert.True(failure.GetRpcStatus()!.GetDetail<RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        }
        var last = call.ResponseStream.Current;
        while (await call.ResponseStream.MoveNext(_ct))
        {
            last = call.ResponseStream.Current;
        }
        Assert.Equal(FinishReason.Length, last.FinishReason);
        await stopped;
    }
}
