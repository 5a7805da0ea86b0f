using Grpc.Net.Client;
using InstructTune.Faults.Tests.Trainer;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.V1;
using JobState = InstructTune.V1.JobState;

namespace InstructTune.Faults.Tests.Services;

/// <summary>Evaluation services that are killed in the middle of a run.</summary>
[Collection(TrainerCollection.Name)]
public sealed class KilledEvaluationTests(TrainerScene scene, ITestOutputHelper output)
{
    private const string Model = "models/tiny/versions/1";
    private const int Questions = 80;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Trait(FaultSettings.Trait, "31")]
    public async Task A_run_whose_service_is_killed_again_and_again_reports_what_an_undisturbed_one_does()
    {
        var random = FaultSettings.Begin(output, "31");
        await using var services = new ServiceProcesses(scene);
        // Few at once, so that a kill meets a run that has answered some.
        services.Settings["Evaluation:ConcurrentQuestions"] = "2";
        services.Settings["Evaluation:ProgressInterval"] = "00:00:00";
        services.Settings["Evaluation:PeerPatience"] = "00:01:00";
        foreach (var service in new[] { "Dataset", "Trainer", "Inference", "Evaluation" })
        {
            await services.StartAsync(service);
        }

        var suite = await CreateSuiteAsync(services);
        var (undisturbed, expected) = await RunAsync(services, suite, []);
        Assert.Equal(1, undisturbed.Job.Attempt);
        var done = 0;
        for (var round = 0; done < FaultSettings.Count(2, 20); round++)
        {
            // Of all answers, in order, so that each kill meets a run that has come further.
            var moments = Enumerable.Range(0, Math.Min(4, FaultSettings.Count(2, 20) - done)).Select(_ => random.NextDouble() * 0.9).Order().ToArray();
            var (run, results) = await RunAsync(services, suite, moments);
            output.WriteLine($"killed at {string.Join(", ", moments.Select(moment => moment.ToString("P0")))}: {run.Job.Attempt} attempts");
            Assert.InRange(run.Job.Attempt, 2, 1 + moments.Length);
            Assert.Equal(undisturbed.Scores, run.Scores);
            Assert.Equal(expected, results);
            done += run.Job.Attempt - 1;
        }

        await using var redis = new RedisConnection(new RedisOptions { Configuration = scene.Settings["Redis:Configuration"] }, TimeProvider.System);
        await InvariantChecker.CheckQueueAsync(new JobStore(redis, "evaluation"), Token);
    }

    private static async Task<string> CreateSuiteAsync(ServiceProcesses services)
    {
        using var channel = GrpcChannel.ForAddress(services.AddressOf("Evaluation"));
        var suite = new EvaluationSuite
        {
            Tasks = { new EvaluationSuite.Types.Task { TaskId = "t", DatasetVersion = "datasets/rows/versions/latest", Metrics = { "rougeL" }, MaxOutputTokens = 24 } },
        };
        return (await new EvaluationService.EvaluationServiceClient(channel).CreateEvaluationSuiteAsync(
            new CreateEvaluationSuiteRequest { EvaluationSuiteId = $"s-{Guid.NewGuid():N}", EvaluationSuite = suite }, cancellationToken: Token)).Name;
    }

    // To its end, with a kill of the service at each of these shares of the work; whoever starts next takes the run over.
    private static async Task<(EvaluationRun Run, IReadOnlyList<EvaluationResult> Results)> RunAsync(ServiceProcesses services, string suite, double[] kills)
    {
        using var channel = GrpcChannel.ForAddress(services.AddressOf("Evaluation"));
        var client = new EvaluationService.EvaluationServiceClient(channel);
        var run = await client.CreateEvaluationRunAsync(
            new CreateEvaluationRunRequest { EvaluationRun = new EvaluationRun { Suite = suite, ModelVersion = Model, Seed = 3 } }, cancellationToken: Token);
        foreach (var moment in kills)
        {
            await Eventually.HoldsAsync(
                async () => (run = await GetAsync(client, run.Name)).Job.Progress > moment, $"the run passes {moment:P0}", TimeSpan.FromMinutes(2));
            if (run.Job.State == JobState.Running)
            {
                await services["Evaluation"].KillAsync();
                (await services.StartAsync("Evaluation"))!.Dispose();
            }
        }

        await Eventually.HoldsAsync(
            async () => (run = await GetAsync(client, run.Name)).Job.State is JobState.Succeeded or JobState.Failed, "the run ends", TimeSpan.FromMinutes(3));
        Assert.True(run.Job.State == JobState.Succeeded, run.Job.Error?.ToString());
        var results = await client.ListEvaluationResultsAsync(new ListEvaluationResultsRequest { Parent = run.Name, PageSize = 1000 }, cancellationToken: Token);
        Assert.Equal(Questions, results.EvaluationResults.Count);
        return (run, results.EvaluationResults);
    }

    private static async Task<EvaluationRun> GetAsync(EvaluationService.EvaluationServiceClient client, string name) =>
        await client.GetEvaluationRunAsync(new GetEvaluationRunRequest { Name = name }, new Grpc.Core.CallOptions(cancellationToken: Token).WithWaitForReady());
}
