using System.Globalization;
using InstructTune.Client;
using InstructTune.Faults.Tests.Standalone;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Every process of the trainer is replaced, one by one, while it is used.</summary>
[Collection(TrainerCollection.Name)]
public sealed class RollingRestartTests(TrainerScene scene, ITestOutputHelper output)
{
    private const int CallersAtOnce = 1;
    private const int FewestCalls = 50;

    private static readonly int StageSteps = FaultSettings.Count(250, 3000);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Trait(FaultSettings.Trait, "22")]
    public async Task No_call_fails_and_no_job_is_counted_a_fault_while_api_and_worker_are_replaced()
    {
        FaultSettings.Begin(output, "22");
        var (api, port) = await StartApiAsync();
        await using var proxy = new FaultProxy(port);
        using var client = new InstructTuneClient(new ClientOptions
        {
            Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{proxy.Port}")), ApiKey = "none",
        });
        var worker = scene.StartWorker();
        try
        {
            var name = await scene.CreateAsync(LongSpec());
            using var done = new CancellationTokenSource();
            var callers = Enumerable.Range(0, CallersAtOnce).Select(_ => CallAsync(client, name, done.Token)).ToArray();
            var history = new JobHistory(name);
            await history.WatchAsync(client, entry => entry.MetricsReported is not null, Token);
            var watching = history.WatchToEndAsync(client, Token);
            for (var round = 0; round < FaultSettings.Count(1, 20); round++)
            {
                var standby = scene.StartWorker();
                await EndAsync(worker);
                worker = standby;
                var (next, nextPort) = await StartApiAsync();
                proxy.TargetPort = nextPort;
                await EndAsync(api);
                api = next;
            }

            await watching;
            await done.CancelAsync();
            var calls = (await Task.WhenAll(callers)).Sum();
            output.WriteLine($"{calls} calls, none failed");
            Assert.True(calls > FewestCalls, $"{calls} calls are no load");
            var job = await scene.GetAsync(name);
            Assert.True(job.Job.Attempt > 1, "no worker was replaced while it trained");
            Assert.Equal(0, job.Job.FailureCount);
            history.Check(job);
            Assert.Equal(2 * StageSteps, history.ReportedSteps);
        }
        finally
        {
            api.Dispose();
            worker.Dispose();
        }
    }

    // Trains longer than the replacements take.
    private static FineTuneSpec LongSpec()
    {
        var spec = TrainerScene.Spec();
        foreach (var stage in spec.Stages)
        {
            (stage.Epochs, stage.MaxSteps) = (1000, StageSteps);
        }

        return spec;
    }

    // Through the client library, as people call; a call that fails fails the test.
    private static async Task<int> CallAsync(InstructTuneClient client, string name, CancellationToken done)
    {
        var calls = 0;
        while (!done.IsCancellationRequested)
        {
            var job = await client.FineTuneJob(name).GetAsync(Token);
            Assert.Equal(name, job.Name);
            await client.FineTunes.ListFineTuneJobsAsync(new ListFineTuneJobsRequest { PageSize = 1 }, cancellationToken: Token);
            calls += 2;
        }

        return calls;
    }

    private static async Task EndAsync(WorkerProcess process)
    {
        process.Signal("TERM");
        Assert.Equal(0, await process.ExitAsync());
        process.Dispose();
    }

    private async Task<(WorkerProcess Process, int Port)> StartApiAsync()
    {
        var port = FreePort.Next();
        var settings = new Dictionary<string, string>(scene.Settings, StringComparer.Ordinal)
        {
            ["urls"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
        };
        var api = WorkerProcess.Start(settings, role: "Api");
        await api.SaysAsync("Application started", TimeSpan.FromSeconds(30));
        return (api, port);
    }
}
