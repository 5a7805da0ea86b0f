using InstructTune.Hosting;
using InstructTune.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>What operators see: dashboards break when names change.</summary>
public sealed class ServingStatsTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    [Covers("InferenceService/GetServingStats", "OK")]
    public async Task The_state_of_a_replica_counts_what_it_did_and_holds()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var prompt = string.Concat(Enumerable.Repeat("a b c ", 40));
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, prompt, maxTokens: 5));
        var answer = await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, prompt, maxTokens: 5));
        using var running = await HeldStream.StartAsync(host, Requests.Endless(InferenceHost.Base));

        var stats = await host.StatsAsync();

        Assert.Equal((1, 0, 1, 1), (stats.RunningSequences, stats.WaitingRequests, stats.ResidentBases, stats.ResidentAdapters));
        Assert.True(stats is { CacheUsedBytes: > 0, CachePrefixBytes: > 0, ModelBytes: > 0, StepCount: > 0, RowCount: > 0 });
        Assert.True(stats.CacheUsedBytes + stats.CachePrefixBytes <= stats.CacheTotalBytes);
        Assert.Equal(answer.Usage.CachedPromptTokens, stats.PrefixHitCount);
        var red = stats.Models.Single(model => model.ModelVersion == InferenceHost.Red);
        Assert.Equal((2, 0, 10), (red.RequestCount, red.FailedCount, red.OutputTokenCount));
        Assert.Equal((2 * answer.Usage.PromptTokens, answer.Usage.CachedPromptTokens), (red.PromptTokenCount, red.CachedTokenCount));
        Assert.Equal(1, stats.Models.Single(model => model.ModelVersion == InferenceHost.Base).RunningCount);
    }

    [Fact]
    public async Task Metrics_have_the_names_and_labels_that_are_promised()
    {
        string[] promised =
        [
            "instructtune_inference_requests_running{.*class=\"standard\"", "instructtune_inference_requests_waiting{.*class=\"batch\"",
            "instructtune_inference_queue_age_seconds{.*class=\"batch\"", "instructtune_inference_queued_prompt_tokens{.*class=\"batch\"",
            "instructtune_inference_heartbeat_age_seconds",
            "instructtune_inference_request_total{.*code=\"OK\".*finish_reason=\"length\".*model=\"models/red/versions/1\"",
            "instructtune_inference_prompt_tokens_total{.*class=\"standard\".*model=", "instructtune_inference_generation_tokens_total{.*class=\"standard\".*model=",
            "instructtune_inference_cached_tokens_total{.*class=\"standard\".*model=", "gen_ai_server_time_to_first_token_seconds_bucket{.*model=",
            "gen_ai_server_time_per_output_token_seconds_bucket{.*model=", "gen_ai_server_request_duration_seconds_bucket{.*model=",
            "instructtune_inference_queue_seconds_bucket{.*model=", "instructtune_inference_step_seconds_bucket", "instructtune_inference_step_rows_bucket",
            "instructtune_inference_step_adapters_bucket", "instructtune_inference_kv_bytes{.*state=\"used\"", "instructtune_inference_kv_bytes{.*state=\"free\"",
            "instructtune_inference_prefix_bytes", "instructtune_inference_prefix_queries_total", "instructtune_inference_prefix_hits_total",
            "instructtune_inference_preemptions_total{.*reason=\"memory\"", "instructtune_inference_adapter_load_seconds_bucket",
            "instructtune_inference_adapter_loads_total{.*outcome=\"loaded\"", "instructtune_inference_adapter_resident", "instructtune_inference_base_resident",
            "instructtune_inference_memory_bytes{.*part=\"adapters\"", "instructtune_inference_prefill_seconds_bucket{.*model=",
            "instructtune_inference_decode_seconds_bucket{.*model=", "instructtune_inference_cancelled_total{.*reason=\"client\"",
            "instructtune_inference_live_tensors", "instructtune_inference_kernel_buffers_bytes", "instructtune_inference_time_to_ready_seconds",
        ];
        await using var host = await InferenceHost.StartWithModelsAsync(("Metrics:Port", "0"), ("Metrics:Bind", "127.0.0.1"));
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Red, "x", maxTokens: 5));
        await LeaveAsync(host);
        var endpoint = host.Services.GetServices<IHostedService>().OfType<MetricsEndpoint>().Single();
        using var http = new HttpClient();
        var text = "";

        await Eventually.HoldsAsync(
            async () => (text = await http.GetStringAsync(endpoint.Address + MetricsEndpoint.Path, _ct)).Contains("step_seconds_bucket", StringComparison.Ordinal),
            "the step is in the figures");

        var lines = text.Split('\n');
        var missing = promised.Where(name => !lines.Any(line => Matches(line, name)));
        Assert.True(!missing.Any(), string.Join('\n', missing) + "\n\n" + string.Join('\n', lines.Where(line => !line.StartsWith('#'))));
    }

    private static async Task LeaveAsync(InferenceHost host)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(_ct);
        using var call = host.Client.StreamGenerate(Requests.Endless(InferenceHost.Red), cancellationToken: leaving.Token);
        await call.ResponseStream.MoveNext(leaving.Token);
        await leaving.CancelAsync();
        await Eventually.HoldsAsync(() => host.Calls.Count == 0, "the call has ended on the server");
    }

    /// <summary>The name at the beginning of the line, and the labels somewhere in it, in any order.</summary>
    private static bool Matches(string line, string name)
    {
        var parts = name.Split(".*");
        return line.StartsWith(parts[0].TrimEnd('{'), StringComparison.Ordinal) && parts.Skip(1).All(part => line.Contains(part, StringComparison.Ordinal));
    }
}
