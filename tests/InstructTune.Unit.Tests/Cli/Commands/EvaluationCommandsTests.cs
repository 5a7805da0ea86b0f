using InstructTune.Cli.CommandLine;
using InstructTune.Unit.Tests.Client;

namespace InstructTune.Unit.Tests.Cli.Commands;

public sealed class EvaluationCommandsTests
{
    [Fact]
    public async Task A_suite_is_made_from_data_and_metrics()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "eval", "run", "--data", "reviews", "--metric", "rougeL", "--model", "tiny", "--max-examples", "50");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        var task = Assert.Single(Assert.Single(api.Services.Evaluations.Suites).EvaluationSuite.Tasks);
        Assert.Equal("datasets/reviews/versions/0123456789abcdef", task.DatasetVersion);
        Assert.Equal(["rougeL"], task.Metrics);
        Assert.Equal(50, task.MaxExamples);
        Assert.Contains("rougeL", run.Out, StringComparison.Ordinal);
        Assert.Contains("0.100 to 0.900", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_data_and_metrics_give_the_same_suite()
    {
        await using var api = await FakeApi.StartAsync();
        foreach (var metric in (string[])["em", "em", "f1"])
        {
            await CliRun.Async(api, "eval", "run", "--data", "reviews", "--metric", metric, "--model", "tiny");
        }

        var ids = api.Services.Evaluations.Suites.Select(request => request.EvaluationSuiteId).ToList();
        Assert.Equal(ids[0], ids[1]);
        Assert.NotEqual(ids[0], ids[2]);
    }

    [Fact]
    public async Task Several_models_are_compared_with_the_first()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "eval", "run", "--suite", "s-1", "--model", "tiny", "--model", "tuned");
        Assert.Equal(["evaluationRuns/run-1", "evaluationRuns/run-2"], api.Services.Evaluations.Compared!.Arms.Select(arm => arm.Runs.Single()));
        Assert.Contains("+0.020 to +0.080", run.Out, StringComparison.Ordinal);
        Assert.Contains("< 0.001", run.Out, StringComparison.Ordinal);
        Assert.Contains("better", run.Out, StringComparison.Ordinal);
        Assert.Contains("one seed", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--model", "tiny")]
    [InlineData("--model", "tiny", "--data", "d")]
    [InlineData("--model", "tiny", "--data", "d", "--suite", "s")]
    [InlineData("--model", "tiny", "--suite", "s", "--metric", "em")]
    public async Task What_is_measured_must_be_said_once(params string[] arguments)
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, ["eval", "run", .. arguments]);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
    }
}
