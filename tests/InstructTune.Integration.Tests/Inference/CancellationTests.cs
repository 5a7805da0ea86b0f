using Grpc.Core;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Inference;

public sealed class CancellationTests : IAsyncLifetime
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    private InferenceHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await InferenceHost.StartWithModelsAsync(("Inference:MaxRunning", "1"), ("Inference:StepTokens", "65"));
        await _host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "load", maxTokens: 1));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_ends_while_it_decodes_frees_its_slot(bool byDeadline)
    {
        using var cancellation = new CancellationTokenSource();
        using var held = await HeldStream.StartAsync(_host, Requests.Endless(InferenceHost.Base), options: Options(byDeadline, cancellation.Token));

        await cancellation.CancelAsync();
        await EndsAsync(DrainAsync(held.Call), byDeadline);
        await CallsAreAsync(0);
        var steps = _host.Engine.Counters.Steps;
        held.Engine.Dispose();

        await _host.IsIdleAsync();
        Assert.InRange(_host.Engine.Counters.Steps - steps, 0, 1);
        Assert.Equal(4, (await _host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "next", maxTokens: 4))).TokenIds.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_ends_in_its_prompt_computes_no_more_of_it(bool byDeadline)
    {
        using var cancellation = new CancellationTokenSource();
        var turn = _host.Turns.Enter(_ct);
        var before = _host.Engine.Counters.Rows;
        // About 450 tokens, of which one step computes 64.
        var prompt = string.Concat(Enumerable.Repeat("q w r t ", 55));
        var call = _host.Client.GenerateAsync(Requests.Greedy(InferenceHost.Base, prompt, maxTokens: 2), Options(byDeadline, cancellation.Token));
        await Eventually.HoldsAsync(() => _host.Engine.Counters.Running == 1, "the prompt is being computed");

        await cancellation.CancelAsync();
        await EndsAsync(call.ResponseAsync, byDeadline);
        await CallsAreAsync(0);
        turn.Dispose();

        await _host.IsIdleAsync();
        Assert.Equal(64, _host.Engine.Counters.Rows - before);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_ends_while_it_waits_never_gets_a_slot(bool byDeadline)
    {
        using var cancellation = new CancellationTokenSource();
        using var running = await HeldStream.StartAsync(_host, Requests.Endless(InferenceHost.Base));
        var submitted = _host.Engine.Counters.Submitted;
        var waiting = _host.Client.GenerateAsync(Requests.Greedy(InferenceHost.Base, "later"), Options(byDeadline, cancellation.Token));
        await Eventually.HoldsAsync(() => _host.Engine.Counters.Submitted > submitted, "the second waits");

        await cancellation.CancelAsync();
        await EndsAsync(waiting.ResponseAsync, byDeadline);
        await CallsAreAsync(1);
        running.Engine.Dispose();

        await Eventually.HoldsAsync(() => _host.WaitingRequests == 0 && _host.Engine.Counters.Waiting == 0, "the place in the queue is free");
        running.Dispose();
        await _host.IsIdleAsync();
    }

    private static CallOptions Options(bool byDeadline, CancellationToken cancellation) => byDeadline
        ? new CallOptions(deadline: TimeProvider.System.GetUtcNow().AddSeconds(2).UtcDateTime, cancellationToken: _ct)
        : new CallOptions(cancellationToken: cancellation);

    private Task CallsAreAsync(int count) => Eventually.HoldsAsync(() => _host.Calls.Count == count, $"{count} calls are left on the server");

    private static async Task EndsAsync(Task call, bool byDeadline)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.Equal(byDeadline ? StatusCode.DeadlineExceeded : StatusCode.Cancelled, exception.StatusCode);
    }

    private static async Task DrainAsync(AsyncServerStreamingCall<V1.StreamGenerateResponse> call)
    {
        while (await call.ResponseStream.MoveNext(_ct))
        {
        }
    }
}
