using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class RequestIdTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_id_comes_back_in_the_header_and_one_is_made_where_there_is_none()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var request = Requests.Greedy(InferenceHost.Base, "x", maxTokens: 1);
        request.RequestId = "order 66 / part 1";

        var (given, made, other) = (await IdOfAsync(host, request), await IdOfAsync(host, Requests.Greedy(InferenceHost.Base, "x", 1)), await IdOfAsync(host, Requests.Greedy(InferenceHost.Base, "x", 1)));
        using var stream = host.Client.StreamGenerate(request, cancellationToken: _ct);
        using var score = host.Client.ScoreAsync(Requests.Score(InferenceHost.Base, ("a", "b")), cancellationToken: _ct);

        Assert.Equal(("order 66 / part 1", 32, 32), (given, made!.Length, other!.Length));
        Assert.NotEqual(made, other);
        Assert.Equal(given, (await stream.ResponseHeadersAsync).GetValue("request-id"));
        Assert.NotNull((await score.ResponseHeadersAsync).GetValue("request-id"));
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("\u00fcmlaut")]
    [InlineData(" space before")]
    [InlineData("long")]
    public async Task A_request_id_that_no_header_or_line_should_hold_is_refused(string requestId)
    {
        await using var host = await InferenceHost.StartAsync();
        var request = Requests.Greedy(InferenceHost.Base, "x");
        request.RequestId = requestId == "long" ? new string('x', 129) : requestId;

        Assert.Equal(["request_id"], (await host.GenerateAsync(request).FailsAsync("FIELD_INVALID")).Fields());
        request.RequestId = new string('x', 128);
        await host.GenerateAsync(request).FailsAsync("RESOURCE_NOT_FOUND");
    }

    [Fact]
    public async Task A_failure_is_logged_with_the_id_of_its_request_and_answered_with_it()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        await host.PublishAdapterAsync(InferenceHost.Red, InferenceHost.Base, folder => TinyAdapter.Write(folder, seed: 9, spread: 1e30));
        var request = Requests.Greedy(InferenceHost.Red, string.Concat(Enumerable.Repeat("bad ", 20)));
        request.RequestId = "find-me";

        using var call = host.Client.GenerateAsync(request, cancellationToken: _ct);
        await call.ResponseAsync.FailsAsync("INTERNAL");

        Assert.Equal("find-me", (await call.ResponseHeadersAsync).GetValue("request-id"));
        Assert.Contains(host.Log.Errors, line => line.Contains("find-me", StringComparison.Ordinal));
    }

    private static async Task<string?> IdOfAsync(InferenceHost host, GenerateRequest request)
    {
        using var call = host.Client.GenerateAsync(request, cancellationToken: _ct);
        await call;
        return (await call.ResponseHeadersAsync).GetValue("request-id");
    }
}
