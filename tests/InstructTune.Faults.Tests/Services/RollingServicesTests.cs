using InstructTune.Client;
using InstructTune.Faults.Tests.Standalone;
using InstructTune.Faults.Tests.Trainer;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Services;

/// <summary>Every service is replaced, one after the other, while people use all of them through the gateway.</summary>
[Collection(TrainerCollection.Name)]
public sealed class RollingServicesTests(TrainerScene scene, ITestOutputHelper output)
{
    private const int FewestCalls = 100;
    private const string Model = "models/tiny/versions/1";

    private static readonly int StageSteps = FaultSettings.Count(400, 6000);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Trait(FaultSettings.Trait, "22")]
    public async Task No_call_fails_and_no_job_starts_again_while_every_service_is_replaced()
    {
        FaultSettings.Begin(output, "22");
        await using var services = new ServiceProcesses(scene);
        await services.StartAllAsync();
        using var client = new InstructTuneClient(new ClientOptions { Address = new Uri(services.AddressOf("Gateway")), ApiKey = ServiceProcesses.ApiKey });

        // With the lease of production: nobody is lost here, and ten starting processes may hold a worker up for the scene's three seconds.
        using var worker = scene.StartWorker(fault: null, ("Jobs:Duration", "00:00:30"));
        var name = await scene.CreateAsync(LongSpec());
        using var done = new CancellationTokenSource();
        var callers = Calls(client, name).Select(call => RepeatAsync(call, done.Token)).ToArray();
        var history = new JobHistory(name);
        await history.WatchAsync(client, entry => entry.MetricsReported is not null, Token);
        var watching = history.WatchToEndAsync(client, Token);
        for (var round = 0; round < FaultSettings.Count(1, 20); round++)
        {
            foreach (var service in ServiceProcesses.All)
            {
                using var before = await services.StartAsync(service);
                before!.Signal("TERM");
                Assert.True(await before.ExitAsync() == 0, $"{service}: {before.Log()}");
                Assert.DoesNotContain(callers, caller => caller.IsFaulted);
            }
        }

        await done.CancelAsync();
        var calls = await Task.WhenAll(callers);
        output.WriteLine($"{string.Join(", ", calls)} calls of each kind, none failed");
        Assert.True(calls.Sum() > FewestCalls, $"{calls.Sum()} calls are no load");
        if (!watching.IsCompleted)
        {
            await client.FineTuneJob(name).CancelAsync(Token);
        }

        await watching;
        var job = await scene.GetAsync(name);
        Assert.Equal((1, 0), (job.Job.Attempt, job.Job.FailureCount));
        Assert.Equal(Enumerable.Range(1, history.Events.Count).Select(number => (long)number), history.Events.Select(entry => entry.Sequence));
    }

    // One of each service, through the client library, as people call.
    private static IEnumerable<Func<Task>> Calls(InstructTuneClient client, string name) =>
    [
        async () => Assert.Equal(name, (await client.FineTuneJob(name).GetAsync(Token)).Name),
        async () => await client.Datasets.ListDatasetVersionsAsync(new ListDatasetVersionsRequest { Parent = "datasets/rows" }, cancellationToken: Token),
        async () => await client.Evaluations.ListEvaluationRunsAsync(new ListEvaluationRunsRequest(), cancellationToken: Token),
        async () => await client.Inference.GenerateAsync(new GenerateRequest { Model = Model, RawPrompt = "once", MaxOutputTokens = 2 }, cancellationToken: Token),
    ];

    private static async Task<int> RepeatAsync(Func<Task> call, CancellationToken done)
    {
        var calls = 0;
        for (; !done.IsCancellationRequested; calls++)
        {
            await call();
        }

        return calls;
    }

    // Trains longer than the replacements take.
    private static FineTuneSpec LongSpec()
    {
        var spec = TrainerScene.Spec();
        foreach (var stage in spec.Stages)
        {
            (stage.Epochs, stage.MaxSteps) = (100_000, StageSteps);
        }

        return spec;
    }
}
