using Grpc.Core;
using Grpc.Health.V1;
using InstructTune.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>A step of the engine that does not end.</summary>
public sealed class StallTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_step_that_is_stuck_makes_the_replica_unready_and_fails_requests_instead_of_leaving_them_in_silence()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(
            ("Inference:StepTimeout", "00:00:00.4"), ("Inference:Heartbeat", "00:00:00.05"), ("Inference:MaxRunning", "1"));
        var request = Requests.Greedy(InferenceHost.Red, "x", maxTokens: 4);
        var before = await host.GenerateAsync(request);
        using var streaming = await HeldStream.StartAsync(host, Requests.Endless(InferenceHost.Base));

        var waiting = host.GenerateAsync(request);
        var scoring = host.ScoreAsync(Requests.Score(InferenceHost.Base, ("a", "b")));

        await FailsUnavailableAsync(waiting);
        await FailsUnavailableAsync(scoring);
        await FailsUnavailableAsync(DrainAsync(streaming.Call));
        Assert.Equal(HealthStatus.Unhealthy, (await HealthAsync(host)).Status);
        // Not ready is no reason to be killed.
        Assert.Equal(
            [ServingStatus.NotServing, ServingStatus.NotServing, ServingStatus.Serving, ServingStatus.Serving],
            await Task.WhenAll(new[] { "", "ready", "live", "startup" }.Select(question => AskAsync(host, question))));
        var refused = await FailsUnavailableAsync(host.GenerateAsync(request));
        Assert.NotNull(refused.GetRpcStatus()?.GetDetail<Google.Rpc.RetryInfo>());

        streaming.Engine.Dispose();
        await host.IsIdleAsync();
        await Eventually.HoldsAsync(async () => (await HealthAsync(host)).Status == HealthStatus.Healthy, "the replica is ready again");
        Assert.Equal(before.TokenIds, (await host.GenerateAsync(request)).TokenIds);
        Assert.Equal(0, host.WaitingRequests);
    }

    private static Task<HealthReport> HealthAsync(InferenceHost host) => host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(_ct);

    private static async Task<ServingStatus> AskAsync(InferenceHost host, string question)
    {
        using var channel = host.Connect();
        return (await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = question }, cancellationToken: _ct)).Status;
    }

    private static async Task<RpcException> FailsUnavailableAsync(Task call)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(TimeSpan.FromSeconds(10), _ct));
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        return exception;
    }

    private static async Task DrainAsync(AsyncServerStreamingCall<V1.StreamGenerateResponse> call)
    {
        while (await call.ResponseStream.MoveNext(_ct))
        {
        }
    }
}
