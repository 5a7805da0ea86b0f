using System.Diagnostics;
using Grpc.Core;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Deadlines of 1 to 200 ms on every RPC, against an engine that has nothing to give.</summary>
public sealed class DeadlineTests
{
    private static readonly TimeSpan _slack = TimeSpan.FromMilliseconds(900);

    public static TheoryData<string> Rpcs =>
    [
        "Generate", "StreamGenerate", "Score", "Tokenize", "Detokenize", "RenderPrompt", "LoadModelVersion", "ListServedModels", "GetServingStats",
        "UnloadModelVersion",
    ];

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task A_deadline_is_kept_and_the_work_stops(string rpc)
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "load", maxTokens: 1));
        var turn = host.Turns.Enter(TestContext.Current.CancellationToken);
        foreach (var milliseconds in new[] { 1, 20, 200 })
        {
            var watch = Stopwatch.StartNew();
            var deadline = TimeProvider.System.GetUtcNow().AddMilliseconds(milliseconds).UtcDateTime;
            var status = await StatusOfAsync(CallAsync(host.Client, rpc, new CallOptions(deadline: deadline)));

            Assert.True(status is StatusCode.DeadlineExceeded or StatusCode.OK or StatusCode.NotFound, $"{status} after {milliseconds} ms");
            Assert.True(watch.Elapsed < TimeSpan.FromMilliseconds(milliseconds) + _slack, $"{watch.Elapsed} for a deadline of {milliseconds} ms");
        }
        await Eventually.HoldsAsync(() => host.Calls.Count == 0, "no call is left on the server");
        var steps = host.Engine.Counters.Steps;
        turn.Dispose();

        await host.IsIdleAsync();
        Assert.InRange(host.Engine.Counters.Steps - steps, 0, 1);
        Assert.Equal(0, host.WaitingRequests);
    }

    private static async Task<StatusCode> StatusOfAsync(Task call)
    {
        try
        {
            await call;
            return StatusCode.OK;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode;
        }
    }

    private static Task CallAsync(InferenceService.InferenceServiceClient client, string rpc, CallOptions options) => rpc switch
    {
        "Generate" => client.GenerateAsync(Requests.Endless(InferenceHost.Red), options).ResponseAsync,
        "StreamGenerate" => client.StreamGenerate(Requests.Endless(InferenceHost.Red), options).ResponseStream.MoveNext(CancellationToken.None),
        "Score" => client.ScoreAsync(Requests.Score(InferenceHost.Red, ("a", "b")), options).ResponseAsync,
        "Tokenize" => client.TokenizeAsync(new TokenizeRequest { Model = InferenceHost.Blue, Text = "a" }, options).ResponseAsync,
        "Detokenize" => client.DetokenizeAsync(new DetokenizeRequest { Model = InferenceHost.Blue, TokenIds = { 3 } }, options).ResponseAsync,
        "RenderPrompt" => client.RenderPromptAsync(
            new RenderPromptRequest { Model = InferenceHost.Blue, Instruction = new Instruction { Instruction_ = "do" } }, options).ResponseAsync,
        "LoadModelVersion" => client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = InferenceHost.Blue }, options).ResponseAsync,
        "UnloadModelVersion" => client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = InferenceHost.Blue }, options).ResponseAsync,
        "ListServedModels" => client.ListServedModelsAsync(new ListServedModelsRequest(), options).ResponseAsync,
        "GetServingStats" => client.GetServingStatsAsync(new GetServingStatsRequest(), options).ResponseAsync,
        _ => throw new ArgumentOutOfRangeException(nameof(rpc)),
    };
}
