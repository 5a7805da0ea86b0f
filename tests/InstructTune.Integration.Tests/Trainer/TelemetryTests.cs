using System.Collections.Concurrent;
using System.Diagnostics;
using InstructTune.Hosting;
using InstructTune.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>What operators see of a job: one trace from the caller to the step, and the figures that Prometheus reads.</summary>
public sealed class TelemetryTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_trace_runs_from_the_client_call_to_the_training_step()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("InstructTune.", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var call = new Activity("a client's call").Start();
        var created = await trainer.CreateAsync(trainer.SmallSpec());
        call.Stop();
        var (job, _) = await trainer.EndOfAsync(created.Name);
        await Eventually.HoldsAsync(() => spans.Any(span => Is(span, "job.attempt")), "the attempt ends");

        var steps = spans.Where(span => Is(span, "train.step")).ToArray();
        Assert.Equal(job.Stages[0].PlannedSteps, steps.Length);
        var stage = Assert.Single(spans, span => Is(span, "train.stage"));
        var attempt = Assert.Single(spans, span => Is(span, "job.attempt"));
        Assert.All(steps, step => Assert.Equal(stage.SpanId, step.ParentSpanId));
        Assert.Equal(attempt.SpanId, stage.ParentSpanId);
        Assert.Equal(created.Name.Split('/')[1], attempt.GetTagItem("job"));

        bool Is(Activity span, string name) => span.OperationName == name && span.TraceId == call.TraceId;
    }

    [Fact]
    public async Task Prometheus_reads_the_figures_of_jobs_and_training_over_HTTP_1()
    {
        await using var other = await trainer.StartTrainerAsync(trainer.Store, "Api", ("Metrics:Port", "0"), ("Metrics:Bind", "127.0.0.1"), ("Jobs:ReapInterval", "00:00:00.050"));
        await trainer.EndOfAsync((await trainer.CreateAsync(trainer.SmallSpec())).Name);
        var endpoint = other.Services.GetServices<IHostedService>().OfType<MetricsEndpoint>().Single();
        using var http = new HttpClient();
        var text = "";
        await Eventually.HoldsAsync(
            async () => (text = await http.GetStringAsync(endpoint.Address + MetricsEndpoint.Path, Token)).Contains("instructtune_jobs_attempts_total", StringComparison.Ordinal)
                && text.Contains("instructtune_jobs_queue_depth", StringComparison.Ordinal),
            "the figures are there");
        foreach (var name in new[] { "instructtune_jobs_queue_age", "instructtune_jobs_duration_seconds_bucket", "instructtune_training_loss", "instructtune_training_step_duration_seconds_count" })
        {
            Assert.Contains(name, text, StringComparison.Ordinal);
        }
    }
}
