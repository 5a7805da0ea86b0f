using Grpc.Core;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Evaluation;

public sealed class RunTests(EvaluationHost host) : IClassFixture<EvaluationHost>
{
    private EvaluationService.EvaluationServiceClient Client => host.Client;

    [Fact]
    [Covers("EvaluationService/CreateEvaluationRun", "OK")]
    [Covers("EvaluationService/GetEvaluationRun", "OK")]
    public async Task A_run_asks_every_question_once_and_scores_the_answers()
    {
        var suite = await host.CreateSuiteAsync("scored", examples: 40);
        host.Inference.Answer = (_, instruction, _) => Task.FromResult(instruction.EndsWith('7') ? "wrong" : instruction);
        var (run, _) = await host.FinishAsync(await host.CreateRunAsync(suite.Name, "models/good/versions/latest"));

        Assert.Equal(JobState.Succeeded, run.Job.State);
        Assert.Equal(1, run.Job.Progress);
        Assert.Equal("models/good/versions/1", run.ModelVersion);
        Assert.Equal("test", run.Labels["purpose"]);
        Assert.Equal(["em/tk-instruct", "f1/squad-1.1"], run.Scores.Select(score => score.Metric));
        Assert.All(run.Scores, score => Assert.Equal((0.9, 40), (score.Value, score.ExampleCount)));
        Assert.All(run.Scores, score => Assert.True(score.Lower < 0.9 && score.Upper > 0.9));
        Assert.All(Enumerable.Range(0, 40), index => Assert.Equal(1, host.Inference.Answered[$"scored {index}"]));
    }

    [Fact]
    public async Task Questions_are_asked_greedily_and_many_at_once()
    {
        await using var own = await EvaluationHost.StartAsync();
        var suite = await own.CreateSuiteAsync("together", examples: 64, change: task => task.StopSequences.Add("#"));
        var enough = new TaskCompletionSource();
        own.Inference.Answer = async (_, instruction, ct) =>
        {
            if (own.Inference.MostInFlight >= 32)
            {
                enough.TrySetResult();
            }
            await enough.Task.WaitAsync(TimeSpan.FromSeconds(20), ct);
            return instruction;
        };
        var run = await own.RunAsync(suite.Name);
        Assert.Equal(JobState.Succeeded, run.Job.State);
        Assert.Equal(32, own.Inference.MostInFlight);
        Assert.All(own.Inference.Requests, request =>
            Assert.Equal((0, 128, "#"), (request.Sampling.Temperature, request.MaxOutputTokens, request.StopSequences.Single())));
    }

    [Fact]
    public async Task Choices_are_ranked_by_log_probability_and_by_log_probability_per_character()
    {
        await using var own = await EvaluationHost.StartAsync();
        var suite = await own.CreateSuiteAsync("ranked", examples: 10, change: task =>
        {
            task.Metrics.Clear();
            task.Metrics.Add(["acc", "acc_norm"]);
        });
        // By character the long right choice wins, as a whole the short wrong one.
        own.Inference.Logprob = (_, choice) => choice == "no" ? -2 : -3;
        var run = await own.RunAsync(suite.Name);
        Assert.Equal([("acc/lm-eval", 0.0), ("acc_norm/lm-eval-chars", 1.0)], run.Scores.Select(score => (score.Metric, score.Value)));
        var result = (await own.ResultsAsync(run)).EvaluationResults[0];
        Assert.Equal("no", result.Answer);
        Assert.Equal([-2, -3], result.ChoiceLogprobs);
        Assert.Empty(own.Inference.Requests);
    }

    [Fact]
    public async Task A_subset_is_fixed_by_the_seed_of_the_run()
    {
        var suite = await host.CreateSuiteAsync("subset", examples: 200, change: task => task.MaxExamples = 20);
        host.Inference.Answer = (_, instruction, _) => Task.FromResult(instruction);
        var first = await IndicesAsync(await host.RunAsync(suite.Name, seed: 5));
        Assert.Equal(20, first.Distinct().Count());
        Assert.Equal(first, await IndicesAsync(await host.RunAsync(suite.Name, seed: 5)));
        Assert.NotEqual(first, await IndicesAsync(await host.RunAsync(suite.Name, seed: 6)));
    }

    [Fact]
    public async Task The_same_request_again_is_the_same_run()
    {
        var suite = await host.CreateSuiteAsync("again");
        var request = new CreateEvaluationRunRequest
        {
            RequestId = Guid.NewGuid().ToString(),
            EvaluationRun = new EvaluationRun { Suite = suite.Name, ModelVersion = "models/good/versions/latest" },
        };
        var first = await Client.CreateEvaluationRunAsync(request, EvaluationHost.Call);
        Assert.Equal(first.Name, (await Client.CreateEvaluationRunAsync(request, EvaluationHost.Call)).Name);
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationRun", "REQUEST_ID_REUSED")]
    public async Task A_request_id_with_other_content_is_refused()
    {
        var suite = await host.CreateSuiteAsync("reused");
        var request = new CreateEvaluationRunRequest
        {
            RequestId = Guid.NewGuid().ToString(),
            EvaluationRun = new EvaluationRun { Suite = suite.Name, ModelVersion = "models/good/versions/1" },
        };
        await Client.CreateEvaluationRunAsync(request, EvaluationHost.Call);
        request.EvaluationRun.Seed = 1;
        await EvaluationHost.AssertFailsAsync(ErrorReason.RequestIdReused,
            async () => await Client.CreateEvaluationRunAsync(request, EvaluationHost.Call));
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationRun", "FIELD_INVALID")]
    public async Task Everything_that_is_wrong_with_a_run_is_named_at_once()
    {
        var request = new CreateEvaluationRunRequest { RequestId = "1", EvaluationRun = new EvaluationRun { Suite = "x", ModelVersion = "y" } };
        var error = await EvaluationHost.AssertFailsAsync(ErrorReason.FieldInvalid,
            async () => await Client.CreateEvaluationRunAsync(request, EvaluationHost.Call));
        Assert.Equal(
            ["evaluation_run.suite", "evaluation_run.model_version", "request_id"], error.Violations.Select(violation => violation.Field));
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationRun", "RESOURCE_NOT_FOUND")]
    public async Task A_run_needs_a_suite_and_a_model_that_exist()
    {
        var suite = await host.CreateSuiteAsync("present");
        await EvaluationHost.AssertFailsAsync(ErrorReason.ResourceNotFound, () => host.CreateRunAsync("evaluationSuites/absent"));
        await EvaluationHost.AssertFailsAsync(ErrorReason.ResourceNotFound, () => host.CreateRunAsync(suite.Name, "models/none/versions/1"));
    }

    [Fact]
    [Covers("EvaluationService/GetEvaluationRun", "RESOURCE_NOT_FOUND")]
    [Covers("EvaluationService/CancelEvaluationRun", "RESOURCE_NOT_FOUND")]
    [Covers("EvaluationService/WatchEvaluationRun", "RESOURCE_NOT_FOUND")]
    [Covers("EvaluationService/ListEvaluationResults", "RESOURCE_NOT_FOUND")]
    [Covers("EvaluationService/CompareEvaluationRuns", "RESOURCE_NOT_FOUND")]
    public Task An_unknown_run_is_not_found() => EveryCallFailsAsync("evaluationRuns/unknown", ErrorReason.ResourceNotFound);

    [Fact]
    [Covers("EvaluationService/GetEvaluationRun", "FIELD_INVALID")]
    [Covers("EvaluationService/CancelEvaluationRun", "FIELD_INVALID")]
    [Covers("EvaluationService/WatchEvaluationRun", "FIELD_INVALID")]
    [Covers("EvaluationService/ListEvaluationResults", "FIELD_INVALID")]
    [Covers("EvaluationService/CompareEvaluationRuns", "FIELD_INVALID")]
    public Task A_run_name_of_another_form_is_invalid() => EveryCallFailsAsync("evaluationRuns/a/b", ErrorReason.FieldInvalid);

    [Fact]
    [Covers("EvaluationService/ListEvaluationRuns", "OK")]
    public async Task Pages_hold_every_run_once_newest_first()
    {
        await using var own = await EvaluationHost.StartAsync();
        var suite = await own.CreateSuiteAsync("runs", examples: 1);
        var created = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            created.Insert(0, (await own.CreateRunAsync(suite.Name)).Name);
        }
        var listed = new List<string>();
        var request = new ListEvaluationRunsRequest { PageSize = 2 };
        do
        {
            var page = await own.Client.ListEvaluationRunsAsync(request, EvaluationHost.Call);
            listed.AddRange(page.EvaluationRuns.Select(run => run.Name));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(created, listed);
    }

    [Fact]
    [Covers("EvaluationService/ListEvaluationRuns", "FIELD_INVALID")]
    public async Task A_negative_page_size_is_invalid() => await EvaluationHost.AssertFailsAsync(
        ErrorReason.FieldInvalid,
            async () => await Client.ListEvaluationRunsAsync(new ListEvaluationRunsRequest { PageSize = -1 }, EvaluationHost.Call));

    [Fact]
    [Covers("EvaluationService/ListEvaluationRuns", "PAGE_TOKEN_MISMATCH")]
    public async Task A_page_token_of_something_else_is_refused() => await EvaluationHost.AssertFailsAsync(
        ErrorReason.PageTokenMismatch,
            async () => await Client.ListEvaluationRunsAsync(new ListEvaluationRunsRequest { PageToken = "x" }, EvaluationHost.Call));

    [Fact]
    [Covers("EvaluationService/WatchEvaluationRun", "OK")]
    public async Task A_watched_run_tells_its_history_without_gaps_and_ends_with_it()
    {
        var suite = await host.CreateSuiteAsync("watched", examples: 5);
        host.Inference.Answer = (_, instruction, _) => Task.FromResult(instruction);
        var (run, events) = await host.FinishAsync(await host.CreateRunAsync(suite.Name));
        Assert.Equal(Enumerable.Range(1, events.Count).Select(number => (long)number), events.Select(change => change.Sequence));
        Assert.Equal(JobState.Succeeded, events[^1].StateChanged.To);
        Assert.Equal(run.Job.LastEventSequence, events[^1].Sequence);
        var last = events.Last(change => change.MetricsReported is not null).MetricsReported;
        Assert.Equal((5, 5, 5.0, 5.0), (last.Step, last.PlannedSteps, last.Values["completed_count"], last.Values["planned_count"]));

        using var rest = Client.WatchEvaluationRun(new WatchEvaluationRunRequest { Name = run.Name, AfterSequence = 2 }, EvaluationHost.Call);
        var later = await rest.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(events.Skip(2), later.Select(response => response.Update.Event));
    }

    [Fact]
    [Covers("EvaluationService/WatchEvaluationRun", "EVENTS_TRIMMED")]
    public async Task Events_that_are_no_longer_kept_cannot_be_followed()
    {
        await using var own = await EvaluationHost.StartAsync(("Jobs:EventsKept", "10"), ("Evaluation:ConcurrentQuestions", "1"));
        var suite = await own.CreateSuiteAsync("trimmed", examples: 30);
        var run = await own.CreateRunAsync(suite.Name);
        await Eventually.HoldsAsync(
            async () => (await own.Client.GetEvaluationRunAsync(new GetEvaluationRunRequest { Name = run.Name }, EvaluationHost.Call)).Job.State == JobState.Succeeded,
            "the run succeeds",
            TimeSpan.FromSeconds(60));
        using var watch = own.Client.WatchEvaluationRun(new WatchEvaluationRunRequest { Name = run.Name, AfterSequence = 1 }, EvaluationHost.Call);
        var error = await EvaluationHost.AssertFailsAsync(ErrorReason.EventsTrimmed, () => watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.True(int.Parse(error.Metadata["oldest_sequence"], System.Globalization.CultureInfo.InvariantCulture) > 1);
    }

    [Fact]
    [Covers("EvaluationService/ListEvaluationResults", "OK")]
    public async Task Pages_hold_every_answer_once_by_task_and_example()
    {
        var suite = await host.CreateSuiteAsync("answers", examples: 7);
        host.Inference.Answer = (_, instruction, _) => Task.FromResult("I say " + instruction);
        var run = await host.RunAsync(suite.Name);
        var results = new List<EvaluationResult>();
        var request = new ListEvaluationResultsRequest { Parent = run.Name, PageSize = 3 };
        do
        {
            var page = await Client.ListEvaluationResultsAsync(request, EvaluationHost.Call);
            Assert.True(page.EvaluationResults.Count is > 0 and <= 3);
            results.AddRange(page.EvaluationResults);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], results.Select(result => result.ExampleIndex));
        Assert.All(results, result => Assert.Equal(FinishReason.EndOfText, result.FinishReason));
        Assert.Equal(("answers 3", "I say answers 3", "answers 3"), (results[3].Prompt, results[3].Answer, results[3].References.Single()));
        Assert.Equal(0, results[3].Scores["em/tk-instruct"]);
        Assert.Equal(2 / 3.0, results[3].Scores["f1/squad-1.1"], 1e-12);
    }

    [Fact]
    [Covers("EvaluationService/ListEvaluationResults", "PAGE_TOKEN_MISMATCH")]
    public async Task A_page_token_of_another_run_is_refused()
    {
        var suite = await host.CreateSuiteAsync("tokens", examples: 3);
        var (one, two) = (await host.RunAsync(suite.Name), await host.RunAsync(suite.Name));
        var page = await Client.ListEvaluationResultsAsync(new ListEvaluationResultsRequest { Parent = one.Name, PageSize = 1 }, EvaluationHost.Call);
        await EvaluationHost.AssertFailsAsync(ErrorReason.PageTokenMismatch, async () => await Client.ListEvaluationResultsAsync(
            new ListEvaluationResultsRequest { Parent = two.Name, PageSize = 1, PageToken = page.NextPageToken }, EvaluationHost.Call));
    }

    private async Task EveryCallFailsAsync(string name, ErrorReason reason)
    {
        await EvaluationHost.AssertFailsAsync(
            reason, async () => await Client.GetEvaluationRunAsync(new GetEvaluationRunRequest { Name = name }, EvaluationHost.Call));
        await EvaluationHost.AssertFailsAsync(
            reason, async () => await Client.CancelEvaluationRunAsync(new CancelEvaluationRunRequest { Name = name }, EvaluationHost.Call));
        await EvaluationHost.AssertFailsAsync(
            reason,
                async () => await Client.ListEvaluationResultsAsync(new ListEvaluationResultsRequest { Parent = name }, EvaluationHost.Call));
        using var watch = Client.WatchEvaluationRun(new WatchEvaluationRunRequest { Name = name }, EvaluationHost.Call);
        await EvaluationHost.AssertFailsAsync(reason, () => watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        await EvaluationHost.AssertFailsAsync(reason, async () => await Client.CompareEvaluationRunsAsync(new CompareEvaluationRunsRequest
        {
            Arms = { new CompareEvaluationRunsRequest.Types.Arm { Runs = { name } }, new CompareEvaluationRunsRequest.Types.Arm { Runs = { name } } },
        }, EvaluationHost.Call));
    }

    private async Task<List<long>> IndicesAsync(EvaluationRun run) =>
        [.. (await host.ResultsAsync(run)).EvaluationResults.Select(result => result.ExampleIndex)];
}
