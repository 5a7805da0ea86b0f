using Grpc.Core;
using InstructTune.Integration.Tests.Inference.Load;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>A thousand callers who leave: in the queue, in their prompts, at their first token, in mid-stream.</summary>
[Collection(Alone.Name)]
public sealed class CancellationStormTests
{
    private const int Storm = 1000;

    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_cancelled_generations_leave_nothing_behind_and_change_no_other_stream()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:MaxRunning", "16"));
        var steady = Requests.Sampled(InferenceHost.Red, "the steady one", seed: 4, maxTokens: 200);
        steady.Sampling.IgnoreEos = true;
        var expected = await host.GenerateAsync(steady);
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Blue, "load", maxTokens: 1));
        await host.IsIdleAsync();
        var tensors = Tensor.TotalCount;

        var storm = Parallel.ForEachAsync(
            Enumerable.Range(0, Storm), new ParallelOptions { MaxDegreeOfParallelism = 48, CancellationToken = _ct }, (index, _) => LeaveAsync(host, index));
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => host.GenerateAsync(steady)));
        await storm;

        await host.IsIdleAsync();
        await Eventually.HoldsAsync(() => host is { WaitingRequests: 0, LiveRequests: 0 } && host.Calls.Count == 0, "nothing is left of the calls");
        Assert.All(answers, answer => Assert.Equal(expected.TokenIds, answer.TokenIds));
        // What libtorch's wrapper counts is freed with its scopes; nothing of the storm is still there.
        Assert.InRange(Tensor.TotalCount - tensors, 0, 0);
    }

    private static async ValueTask LeaveAsync(InferenceHost host, int index)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(_ct);
        var prompt = index % 3 == 0 ? string.Concat(Enumerable.Repeat("long ", 80)) : $"short {index}";
        var model = index % 2 == 0 ? InferenceHost.Base : InferenceHost.Blue;
        try
        {
            using var call = host.Client.StreamGenerate(Requests.Endless(model, prompt), cancellationToken: cancellation.Token);
            if (index % 4 == 0)
            {
                await cancellation.CancelAsync();
            }
            for (var message = 0; message < index % 5; message++)
            {
                await call.ResponseStream.MoveNext(cancellation.Token);
            }
            await cancellation.CancelAsync();
            await call.ResponseStream.MoveNext(cancellation.Token);
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.Cancelled or StatusCode.ResourceExhausted)
        {
            // The storm is larger than the queue.
        }
        catch (OperationCanceledException)
        {
            // It left before its call began.
        }
    }
}
