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
        using var held = await HeldStream.StartAsync(host, Requests.Endless(InferenceHost.Base), client);

        var stopped = host.StopAsync();
        var late = await Assert.ThrowsAsync<RpcException>(
            () => client.GenerateAsync(Requests.Greedy(InferenceHost.Base, "late"), cancellationToken: _ct).ResponseAsync);
        var messages = await held.FinishAsync();

        Assert.Equal(StatusCode.Unavailable, late.StatusCode);
        Assert.Equal(FinishReason.Length, messages[^1].FinishReason);
        await stopped;
    }

    [Fact]
    public async Task Who_waits_for_a_slot_when_the_server_stops_is_told_to_come_back_while_texts_that_are_made_are_finished()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:MaxRunning", "1"));
        using var channel = host.Connect();
        var client = new InferenceService.InferenceServiceClient(channel);
        using var held = await HeldStream.StartAsync(host, Requests.Endless(InferenceHost.Base), client);
        var submitted = host.Engine.Counters.Submitted;
        var waiting = client.GenerateAsync(Requests.Greedy(InferenceHost.Base, "waits", maxTokens: 2), cancellationToken: _ct).ResponseAsync;
        var scoring = client.ScoreAsync(Requests.Score(InferenceHost.Base, ("a", "b")), cancellationToken: _ct).ResponseAsync;
        await Eventually.HoldsAsync(() => host.Engine.Counters.Submitted == submitted + 2, "both are handed over");
        await held.Engine.StepAsync();
        Assert.Equal(2, host.Engine.Counters.Waiting);
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        var stopped = host.StopAsync();
        await Eventually.HoldsAsync(() => stopping.IsCancellationRequested, "the server stops");
        held.Engine.Dispose();

        foreach (var refused in new Task[] { waiting, scoring })
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => refused);
            Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
            Assert.True(failure.GetRpcStatus()!.GetDetail<RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        }
        Assert.Equal(FinishReason.Length, (await held.FinishAsync())[^1].FinishReason);
        await stopped;
    }
}
