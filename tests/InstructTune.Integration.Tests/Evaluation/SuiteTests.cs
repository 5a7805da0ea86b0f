using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Evaluation;

public sealed class SuiteTests(EvaluationHost host) : IClassFixture<EvaluationHost>
{
    private EvaluationService.EvaluationServiceClient Client => host.Client;

    [Fact]
    [Covers("EvaluationService/CreateEvaluationSuite", "OK")]
    public async Task A_created_suite_has_its_defaults_written_in()
    {
        var suite = await host.CreateSuiteAsync("defaults", change: task => task.Metrics.Add("rougeL"));
        Assert.Equal("evaluationSuites/defaults", suite.Name);
        Assert.Equal(64, suite.ContentSha256.Length);
        var task = Assert.Single(suite.Tasks);
        Assert.Equal(["em/tk-instruct", "f1/squad-1.1", "rougeL/google+nltk-porter"], task.Metrics);
        Assert.Equal(128, task.MaxOutputTokens);
        Assert.True(task.Sampling.HasTemperature);
        Assert.Equal(0, task.Sampling.Temperature);
    }

    [Fact]
    public async Task A_dataset_is_pinned_to_its_newest_version()
    {
        host.Datasets.Add("newest", []);
        var suite = await host.CreateSuiteAsync("pinned", change: task => task.DatasetVersion = "datasets/newest");
        Assert.Equal("datasets/newest/versions/v1", suite.Tasks[0].DatasetVersion);
    }

    [Fact]
    public async Task The_same_suite_again_is_the_one_that_exists()
    {
        var first = await host.CreateSuiteAsync("repeated");
        Assert.Equal(first, await host.CreateSuiteAsync("repeated"));
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationSuite", "RESOURCE_EXISTS")]
    public async Task Other_content_under_a_taken_id_is_refused()
    {
        await host.CreateSuiteAsync("taken");
        await EvaluationHost.AssertFailsAsync(
            ErrorReason.ResourceExists, () => host.CreateSuiteAsync("taken", change: task => task.MaxExamples = 2));
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationSuite", "FIELD_INVALID")]
    public async Task Everything_that_is_wrong_with_a_suite_is_named_at_once()
    {
        var request = new CreateEvaluationSuiteRequest
        {
            EvaluationSuiteId = "X",
            EvaluationSuite = new EvaluationSuite
            {
                Tasks =
                {
                    new EvaluationSuite.Types.Task { TaskId = "a", DatasetVersion = "elsewhere", Metrics = { "bleu" }, MaxExamples = -1 },
                    new EvaluationSuite.Types.Task
                    {
                        TaskId = "a",
                        DatasetVersion = "datasets/d",
                        Metrics = { "em", "em/tk-instruct" },
                        Sampling = new SamplingParameters { TopP = 0, Seed = 3 },
                    },
                },
            },
        };
        var error = await EvaluationHost.AssertFailsAsync(
            ErrorReason.FieldInvalid, async () => await Client.CreateEvaluationSuiteAsync(request, EvaluationHost.Call));
        Assert.Equal(
            [
                "evaluation_suite_id",
                "evaluation_suite.tasks[0].dataset_version",
                "evaluation_suite.tasks[0].max_examples",
                "evaluation_suite.tasks[0].metrics",
                "evaluation_suite.tasks[1].metrics",
                "evaluation_suite.tasks[1].sampling.top_p",
                "evaluation_suite.tasks[1].sampling.seed",
                "evaluation_suite.tasks[1].task_id",
            ],
            error.Violations.Select(violation => violation.Field));
    }

    [Fact]
    [Covers("EvaluationService/CreateEvaluationSuite", "RESOURCE_NOT_FOUND")]
    public async Task A_suite_over_a_dataset_that_does_not_exist_is_refused() => await EvaluationHost.AssertFailsAsync(
        ErrorReason.ResourceNotFound, () => host.CreateSuiteAsync("homeless", change: task => task.DatasetVersion = "datasets/nowhere"));

    [Fact]
    [Covers("EvaluationService/GetEvaluationSuite", "OK")]
    public async Task A_suite_is_read_as_it_was_created()
    {
        var suite = await host.CreateSuiteAsync("read", change: task =>
        {
            task.Sampling = new SamplingParameters { Temperature = 0.7, TopP = 0.9, TopK = 5, MinP = 0.1, MinTokens = 1 };
            task.StopSequences.Add("\n\n");
            task.MaxOutputTokens = 7;
            task.MaxExamples = 3;
        });
        Assert.Equal(suite, await Client.GetEvaluationSuiteAsync(new GetEvaluationSuiteRequest { Name = suite.Name }, EvaluationHost.Call));
    }

    [Fact]
    [Covers("EvaluationService/GetEvaluationSuite", "RESOURCE_NOT_FOUND")]
    public async Task An_unknown_suite_is_not_found() => await EvaluationHost.AssertFailsAsync(
        ErrorReason.ResourceNotFound,

            async () => await Client.GetEvaluationSuiteAsync(new GetEvaluationSuiteRequest { Name = "evaluationSuites/unknown" }, EvaluationHost.Call));

    [Fact]
    [Covers("EvaluationService/GetEvaluationSuite", "FIELD_INVALID")]
    public async Task A_name_of_another_form_is_invalid() => await EvaluationHost.AssertFailsAsync(
        ErrorReason.FieldInvalid,
            async () => await Client.GetEvaluationSuiteAsync(new GetEvaluationSuiteRequest { Name = "suites/../x" }, EvaluationHost.Call));

    [Fact]
    [Covers("EvaluationService/ListEvaluationSuites", "OK")]
    public async Task Pages_hold_every_suite_once_newest_first()
    {
        await using var own = await EvaluationHost.StartAsync();
        var created = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            created.Add((await own.CreateSuiteAsync($"listed-{i}")).Name);
        }
        var listed = new List<string>();
        var request = new ListEvaluationSuitesRequest { PageSize = 2 };
        do
        {
            var page = await own.Client.ListEvaluationSuitesAsync(request, EvaluationHost.Call);
            listed.AddRange(page.EvaluationSuites.Select(suite => suite.Name));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        created.Reverse();
        Assert.Equal(created, listed);
    }

    [Fact]
    [Covers("EvaluationService/ListEvaluationSuites", "FIELD_INVALID")]
    public async Task A_negative_page_size_is_invalid() => await EvaluationHost.AssertFailsAsync(
        ErrorReason.FieldInvalid,
            async () => await Client.ListEvaluationSuitesAsync(new ListEvaluationSuitesRequest { PageSize = -1 }, EvaluationHost.Call));

    [Fact]
    [Covers("EvaluationService/ListEvaluationSuites", "PAGE_TOKEN_MISMATCH")]
    public async Task A_page_token_of_something_else_is_refused() => await EvaluationHost.AssertFailsAsync(
        ErrorReason.PageTokenMismatch,
            async () => await Client.ListEvaluationSuitesAsync(new ListEvaluationSuitesRequest { PageToken = "x" }, EvaluationHost.Call));
}
