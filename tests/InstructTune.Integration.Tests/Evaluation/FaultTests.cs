using System.Collections.Concurrent;
using InstructTune.Evaluation;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using JobState = InstructTune.V1.JobState;

namespace InstructTune.Integration.Tests.Evaluation;

/// <summary>What happens to runs and calls when something beside the service fails.</summary>
public sealed class FaultTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task An_interrupted_run_goes_on_without_asking_again()
    {
        await using var host = await EvaluationHost.StartAsync(("Evaluation:ConcurrentQuestions", "4"));
        var suite = await host.CreateSuiteAsync("interrupted", examples: 30);
        var isOpen = false;
        host.Inference.Answer = async (_, instruction, ct) =>
        {
            if (!isOpen && host.Inference.Answered.Count >= 12)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            }
            return instruction;
        };
        var run = await host.CreateRunAsync(suite.Name);
        await Eventually.HoldsAsync(async () => (await host.ResultsAsync(run)).EvaluationResults.Count >= 12, "12 answers are kept", Longest);
        var kept = (await host.ResultsAsync(run)).EvaluationResults;

        await host.StopServiceAsync();
        isOpen = true;
        await host.StartServiceAsync();
        var (finished, _) = await host.FinishAsync(run);

        Assert.Equal((JobState.Succeeded, 2), (finished.Job.State, finished.Job.Attempt));
        Assert.All(kept, result => Assert.Equal(1, host.Inference.Answered[result.Prompt]));
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (long)i), (await host.ResultsAsync(run)).EvaluationResults.Select(result => result.ExampleIndex));
        Assert.All(finished.Scores, score => Assert.Equal((1.0, 30), (score.Value, score.ExampleCount)));
    }

    [Fact]
    [Covers("EvaluationService/CancelEvaluationRun", "OK")]
    public async Task A_cancelled_run_keeps_its_answers_and_its_finished_scores()
    {
        await using var host = await EvaluationHost.StartAsync(("Evaluation:ConcurrentQuestions", "2"));
        var suite = await host.CreateSuiteAsync("cancelled", examples: 10);
        host.Inference.Answer = async (_, instruction, ct) =>
        {
            if (host.Inference.Answered.Count >= 4)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            }
            return instruction;
        };
        var run = await host.CreateRunAsync(suite.Name);
        await Eventually.HoldsAsync(async () => (await host.ResultsAsync(run)).EvaluationResults.Count >= 4, "4 answers are kept", Longest);

        var asked = await host.Client.CancelEvaluationRunAsync(new CancelEvaluationRunRequest { Name = run.Name }, EvaluationHost.Call);
        Assert.True(asked.Job.State is JobState.Cancelling or JobState.Cancelled);
        var (ended, _) = await host.FinishAsync(run);
        Assert.Equal((JobState.Cancelled, ErrorReason.CancelledByCaller), (ended.Job.State, ended.Job.Error.Reason));
        Assert.True((await host.ResultsAsync(run)).EvaluationResults.Count >= 4);
        Assert.Equal(ended.Job.State, (await host.Client.CancelEvaluationRunAsync(new CancelEvaluationRunRequest { Name = run.Name }, EvaluationHost.Call)).Job.State);
    }

    [Fact]
    public async Task A_question_that_is_too_long_counts_as_an_empty_answer()
    {
        await using var host = await EvaluationHost.StartAsync();
        var suite = await host.CreateSuiteAsync("long", examples: 5);
        host.Inference.Answer = (_, instruction, _) => instruction == "long 3"
            ? throw new DomainException(ErrorReason.PromptTooLong, "The prompt has 9 tokens, the model takes 8.")
            : Task.FromResult(instruction);
        var (run, events) = await host.FinishAsync(await host.CreateRunAsync(suite.Name));
        Assert.Equal(JobState.Succeeded, run.Job.State);
        Assert.Equal(0.8, run.Scores[0].Value, 1e-12);
        var refused = (await host.ResultsAsync(run)).EvaluationResults[3];
        Assert.Equal(("", FinishReason.Unspecified, 0.0), (refused.Answer, refused.FinishReason, refused.Scores["em/tk-instruct"]));
        var notice = Assert.Single(events, change => change.Notice is not null).Notice;
        Assert.Equal(("QUESTIONS_WITHOUT_ANSWER", "1", "3"), (notice.Reason, notice.Metadata["count"], notice.Metadata["first_example_index"]));
    }

    [Theory]
    [InlineData(ErrorReason.QueueFull)]
    [InlineData(ErrorReason.Draining)]
    public async Task An_answer_that_cannot_be_had_now_is_waited_for(ErrorReason reason)
    {
        await using var host = await EvaluationHost.StartAsync();
        var suite = await host.CreateSuiteAsync("patient", examples: 8);
        var refusals = 20;
        host.Inference.Answer = (_, instruction, _) => Interlocked.Decrement(ref refusals) >= 0
            ? throw new DomainException(reason, "Not now.")
            : Task.FromResult(instruction);
        var run = await host.RunAsync(suite.Name);
        Assert.Equal((JobState.Succeeded, 1), (run.Job.State, run.Job.Attempt));
        Assert.All(host.Inference.Answered, pair => Assert.Equal(1, pair.Value));
    }

    [Fact]
    public async Task A_service_that_stays_away_is_tried_again_by_another_attempt()
    {
        await using var host = await EvaluationHost.StartAsync(("Evaluation:PeerPatience", "00:00:00"), ("Evaluation:ConcurrentQuestions", "1"));
        var suite = await host.CreateSuiteAsync("away", examples: 4);
        // The channel tries a call four times by itself.
        var refusals = 4;
        host.Inference.Answer = (_, instruction, _) => Interlocked.Decrement(ref refusals) >= 0
            ? throw new DomainException(ErrorReason.Draining, "Not now.")
            : Task.FromResult(instruction);
        var run = await host.RunAsync(suite.Name);
        Assert.Equal((JobState.Succeeded, 2), (run.Job.State, run.Job.Attempt));
    }

    [Fact]
    public async Task A_run_that_comes_further_between_its_faults_survives_any_number_of_them()
    {
        await using var host = await EvaluationHost.StartAsync(("Evaluation:PeerPatience", "00:00:00"), ("Evaluation:ConcurrentQuestions", "1"));
        var suite = await host.CreateSuiteAsync("fragile", examples: 8);
        var tries = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        host.Inference.Answer = (_, instruction, _) => tries.AddOrUpdate(instruction, 1, (_, count) => count + 1) <= 4
            ? throw new DomainException(ErrorReason.Draining, "Not now.")
            : Task.FromResult(instruction);
        var run = await host.RunAsync(suite.Name);
        Assert.Equal((JobState.Succeeded, 9), (run.Job.State, run.Job.Attempt));
    }

    [Fact]
    public async Task A_model_that_is_gone_fails_the_run_with_its_reason()
    {
        await using var host = await EvaluationHost.StartAsync();
        var suite = await host.CreateSuiteAsync("modelless");
        host.Inference.Answer = (model, _, _) => throw DomainException.NotFound(model);
        var run = await host.RunAsync(suite.Name);
        Assert.Equal((JobState.Failed, ErrorReason.ResourceNotFound, 1), (run.Job.State, run.Job.Error.Reason, run.Job.Attempt));
        Assert.Equal("models/good/versions/1", run.Job.Error.Metadata["resource"]);
    }

    [Fact]
    public async Task Data_that_is_gone_or_asks_nothing_fails_the_run_with_its_reason()
    {
        await using var host = await EvaluationHost.StartAsync();
        var suite = await host.CreateSuiteAsync("dataless");
        host.Datasets.Remove(suite.Tasks[0].DatasetVersion);
        Assert.Equal(ErrorReason.ResourceNotFound, (await host.RunAsync(suite.Name)).Job.Error.Reason);

        host.Datasets.Add("dataless", []);
        Assert.Equal(ErrorReason.DataInvalid, (await host.RunAsync(suite.Name)).Job.Error.Reason);

        host.Datasets.Add("dataless", [new Example { Text = "plain text" }]);
        var error = (await host.RunAsync(suite.Name)).Job.Error;
        Assert.Equal((ErrorReason.DataInvalid, "0"), (error.Reason, error.Metadata["example_index"]));
    }

    [Fact]
    public async Task Choices_that_are_missing_fail_a_run_that_must_rank_them()
    {
        await using var host = await EvaluationHost.StartAsync();
        var suite = await host.CreateSuiteAsync("choiceless", change: task => task.Metrics.Add("acc"));
        host.Datasets.Add("choiceless", [new Example { Instruction = new Instruction { Instruction_ = "a" }, Output = "b" }]);
        Assert.Equal(ErrorReason.DataInvalid, (await host.RunAsync(suite.Name)).Job.Error.Reason);
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationSuite", "PEER_UNREACHABLE")]
    [Covers("EvaluationService/CreateEvaluationRun", "PEER_UNREACHABLE")]
    public async Task Without_its_peers_the_service_says_so()
    {
        var nobody = $"http://127.0.0.1:{FreePort.Next()}";
        await using var host = await EvaluationHost.StartAsync();
        var suite = await host.CreateSuiteAsync("lonely");
        await host.StopServiceAsync();
        host.Settings.AddRange([("Peers:Dataset", nobody), ("Peers:Trainer", nobody)]);
        await host.StartServiceAsync();
        await EvaluationHost.AssertFailsAsync(ErrorReason.PeerUnreachable, () => host.CreateSuiteAsync("lonely-too"));
        await EvaluationHost.AssertFailsAsync(ErrorReason.PeerUnreachable, () => host.CreateRunAsync(suite.Name));
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationRun", "STORE_UNREACHABLE")]
    [Covers("EvaluationService/GetEvaluationRun", "STORE_UNREACHABLE")]
    [Covers("EvaluationService/ListEvaluationRuns", "STORE_UNREACHABLE")]
    [Covers("EvaluationService/CancelEvaluationRun", "STORE_UNREACHABLE")]
    [Covers("EvaluationService/WatchEvaluationRun", "STORE_UNREACHABLE")]
    [Covers("EvaluationService/ListEvaluationResults", "STORE_UNREACHABLE")]
    [Covers("EvaluationService/CompareEvaluationRuns", "STORE_UNREACHABLE")]
    public async Task Without_its_store_the_service_says_so()
    {
        await using var host = await EvaluationHost.StartAsync(
            ("Redis:Configuration", $"127.0.0.1:{FreePort.Next()}"), ("Redis:Patience", "00:00:00.2"));
        var suite = await host.CreateSuiteAsync("storeless");
        const string Run = "evaluationRuns/any";
        await AssertStoreAwayAsync(() => host.CreateRunAsync(suite.Name));
        await AssertStoreAwayAsync(
            async () => await host.Client.GetEvaluationRunAsync(new GetEvaluationRunRequest { Name = Run }, EvaluationHost.Call));
        await AssertStoreAwayAsync(
            async () => await host.Client.ListEvaluationRunsAsync(new ListEvaluationRunsRequest(), EvaluationHost.Call));
        await AssertStoreAwayAsync(
            async () => await host.Client.CancelEvaluationRunAsync(new CancelEvaluationRunRequest { Name = Run }, EvaluationHost.Call));
        await AssertStoreAwayAsync(
            async () => await host.Client.ListEvaluationResultsAsync(new ListEvaluationResultsRequest { Parent = Run }, EvaluationHost.Call));
        using var watch = host.Client.WatchEvaluationRun(new WatchEvaluationRunRequest { Name = Run }, EvaluationHost.Call);
        await AssertStoreAwayAsync(() => watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        var arm = new CompareEvaluationRunsRequest.Types.Arm { Runs = { Run } };
        await AssertStoreAwayAsync(
            async () => await host.Client.CompareEvaluationRunsAsync(new CompareEvaluationRunsRequest { Arms = { arm, arm } }, EvaluationHost.Call));
    }

    [Fact]
    public async Task A_process_that_ends_gives_its_run_back_at_once_though_it_calls_itself()
    {
        await using var store = GarnetStore.Start();
        using var folder = new TemporaryFolder();
        var (datasets, inference) = (new FakeDatasets(), new FakeInference());
        var asked = new TaskCompletionSource();
        inference.Answer = async (_, _, ct) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            return "";
        };
        var server = await StartAllInOneAsync(store, folder, datasets, inference);
        var client = new EvaluationService.EvaluationServiceClient(server.Channel);
        var task = new EvaluationSuite.Types.Task
        {
            TaskId = "t", DatasetVersion = datasets.Add("d", [new Example { RawPrompt = "q", Output = "a" }]), Metrics = { "em" },
        };
        var suite = await client.CreateEvaluationSuiteAsync(
            new CreateEvaluationSuiteRequest { EvaluationSuiteId = "ending", EvaluationSuite = new EvaluationSuite { Tasks = { task } } },
            EvaluationHost.Call);
        var run = await client.CreateEvaluationRunAsync(
            new CreateEvaluationRunRequest { EvaluationRun = new EvaluationRun { Suite = suite.Name, ModelVersion = "models/m/versions/1" } },
            EvaluationHost.Call);
        await asked.Task.WaitAsync(Longest, TestContext.Current.CancellationToken);

        // Far below the 25 s after which a server gives up waiting for its calls.
        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        await using var redis = new RedisConnection(new RedisOptions { Configuration = store.Configuration }, TimeProvider.System);
        var job = await new JobStore(redis, "evaluation").GetAsync(run.Name.Split('/')[1], TestContext.Current.CancellationToken);
        Assert.Equal((InstructTune.Jobs.JobState.Queued, 0), (job!.State, job.Failures));
    }

    private static Task<TestServer> StartAllInOneAsync(
        StoreServer store, TemporaryFolder folder, FakeDatasets datasets, FakeInference inference)
    {
        var socket = folder["services.sock"];
        return TestServer.StartAsync(
            builder =>
            {
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket));
                builder.Services.AddSingleton(datasets);
                builder.Services.AddSingleton(inference);
                builder.AddEvaluation();
            },
            app =>
            {
                app.MapGrpcService<FakeDatasets>();
                app.MapGrpcService<FakeRegistry>();
                app.MapGrpcService<FakeInference>();
                app.MapEvaluation();
            },
            ("Storage:Root", folder["storage"]),
            ("Redis:Configuration", store.Configuration),
            ("Peers:Dataset", "unix:" + socket),
            ("Peers:Trainer", "unix:" + socket),
            ("Peers:Inference", "unix:" + socket));
    }

    private static Task AssertStoreAwayAsync(Func<Task> call) => EvaluationHost.AssertFailsAsync(ErrorReason.StoreUnreachable, call);
}
