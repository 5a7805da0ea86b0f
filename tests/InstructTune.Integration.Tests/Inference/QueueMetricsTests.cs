using System.Globalization;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Integration.Tests.Inference.Load;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>What autoscaling looks at. Alone: a scrape shows the queues of all services of the process.</summary>
[Collection(Alone.Name)]
public sealed class QueueMetricsTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Age_and_tokens_of_the_queue_are_told_by_class()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:MaxRunning", "1"), ("Metrics:Port", "0"), ("Metrics:Bind", "127.0.0.1"));
        using var running = await HeldStream.StartAsync(host, Requests.Endless(InferenceHost.Base));
        var request = Requests.Greedy(InferenceHost.Base, "what waits in no hurry", maxTokens: 1);
        request.Priority = Priority.Batch;
        var submitted = host.Engine.Counters.Submitted;
        var waiting = host.GenerateAsync(request);
        await Eventually.HoldsAsync(() => host.Engine.Counters.Submitted > submitted, "it is handed over");
        await running.Engine.StepAsync();
        var text = await ScrapeAsync(host);
        running.Engine.Dispose();

        var answer = await waiting;
        Assert.Equal((0.0, 0.0), (ValueOf(text, "queue_age_seconds", "interactive"), ValueOf(text, "queue_age_seconds", "standard")));
        Assert.True(ValueOf(text, "queue_age_seconds", "batch") > 0);
        Assert.Equal((0.0, 0.0), (ValueOf(text, "queued_prompt_tokens", "interactive"), ValueOf(text, "queued_prompt_tokens", "standard")));
        Assert.Equal(answer.Usage.PromptTokens, ValueOf(text, "queued_prompt_tokens", "batch"));
        await Eventually.HoldsAsync(async () => ValueOf(await ScrapeAsync(host), "queued_prompt_tokens", "batch") == 0, "nothing waits any more");
    }

    [Fact]
    public async Task Every_call_that_was_let_in_is_counted_with_the_code_that_its_caller_got()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Metrics:Port", "0"), ("Metrics:Bind", "127.0.0.1"));
        var request = Requests.Score(InferenceHost.Red, ("a", "b c"), ("d", ""));
        request.Priority = Priority.Batch;
        var score = await host.ScoreAsync(request);
        await host.ScoreAsync(Requests.Score("models/nobody/versions/1", ("a", "b"))).FailsAsync("RESOURCE_NOT_FOUND");
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "x", maxTokens: 1000)).FailsAsync("PROMPT_TOO_LONG");
        using (host.Turns.Enter(_ct))
        {
            var late = host.Client.GenerateAsync(Requests.Endless(InferenceHost.Base), deadline: TimeProvider.System.GetUtcNow().AddSeconds(1).UtcDateTime, cancellationToken: _ct);
            Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => late.ResponseAsync)).StatusCode);
            await Eventually.HoldsAsync(() => host.Calls.Count == 0, "the call has ended on the server");
        }
        var text = await ScrapeAsync(host);

        Assert.Equal(1, CountOf(InferenceHost.Red, "OK"));
        Assert.Equal(1, CountOf("none", "NotFound"));
        Assert.Equal(1, CountOf("none", "InvalidArgument"));
        Assert.Equal(1, CountOf(InferenceHost.Base, "DeadlineExceeded"));
        var red = (await host.StatsAsync()).Models.Single(model => model.ModelVersion == InferenceHost.Red);
        Assert.Equal((1, 0), (red.RequestCount, red.FailedCount));
        Assert.Equal(score.Scores.Sum(item => item.PromptTokenCount + item.TokenCount), red.PromptTokenCount);
        Assert.Equal(red.PromptTokenCount, FigureOf("prompt_tokens_total", InferenceHost.Red, "class=\"batch\""));

        double CountOf(string model, string code) => FigureOf("request_total", model, $"code=\"{code}\"");

        double FigureOf(string name, string model, string label) => NumberOf(text.Split('\n').Single(line =>
            line.StartsWith($"instructtune_inference_{name}{{", StringComparison.Ordinal)
            && line.Contains(label, StringComparison.Ordinal) && line.Contains($"model=\"{model}\"", StringComparison.Ordinal)));
    }

    private static async Task<string> ScrapeAsync(InferenceHost host)
    {
        using var http = new HttpClient();
        var endpoint = host.Services.GetServices<IHostedService>().OfType<MetricsEndpoint>().Single();
        return await http.GetStringAsync(endpoint.Address + MetricsEndpoint.Path, _ct);
    }

    /// <summary>Of a line such as <c>name{class="batch",...} 1.5 1700000000000</c>.</summary>
    private static double ValueOf(string text, string name, string urgency)
    {
        var line = text.Split('\n').Single(line =>
            line.StartsWith($"instructtune_inference_{name}{{", StringComparison.Ordinal) && line.Contains($"class=\"{urgency}\"", StringComparison.Ordinal));
        return NumberOf(line);
    }

    private static double NumberOf(string line) => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
}
