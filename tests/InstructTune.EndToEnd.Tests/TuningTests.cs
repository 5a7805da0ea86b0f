using System.Text.Json;
using InstructTune.V1;

namespace InstructTune.EndToEnd.Tests;

/// <summary>The life of a model through the command line.</summary>
public sealed class TuningTests(RunningServer server)
{
    [Fact]
    public async Task A_model_is_tuned_in_two_stages_and_then_answers()
    {
        var created = await server.RunAsync(
            "finetune", "create", "--base", RunningServer.Base, "--generalist", RunningServer.Generalist,
            "--specialist", RunningServer.Specialist, "--max-steps", "3", "--batch-size", "8", "--name", "two-stage", "--watch");
        Assert.True(created.ExitCode == 0, created.All);
        Assert.Equal("models/two-stage/versions/1", created.Out.Trim());
        Assert.Contains("generalist", created.Error, StringComparison.Ordinal);

        var answer = await server.RunAsync("generate", "first word of the list", "--input", "a1 b1", "--model", "two-stage", "--max-tokens", "8", "--json");
        Assert.True(answer.ExitCode == 0, answer.All);
        Assert.Equal("models/two-stage/versions/1", JsonDocument.Parse(answer.Out).RootElement.GetProperty("model_version").GetString());
    }

    [Fact]
    public async Task A_dry_run_shows_what_would_be_trained_and_queues_nothing()
    {
        var dry = await server.RunAsync(
            "finetune", "create", "--base", RunningServer.Base, "--specialist", RunningServer.Specialist, "--epochs", "1", "--name", "only-planned", "--dry-run");
        Assert.True(dry.ExitCode == 0, dry.All);
        Assert.Contains("It fits. Nothing was queued.", dry.Out, StringComparison.Ordinal);
        Assert.Contains("First row of stage specialist:", dry.Out, StringComparison.Ordinal);
        Assert.Contains("/versions/", dry.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("only-planned", (await server.RunAsync("finetune", "list")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_are_marked_on_a_file_and_compared()
    {
        var data = server.Write("questions.jsonl", string.Join('\n', Enumerable.Range(0, 8).Select(index =>
            $$"""{"instruction":"repeat the word w{{index}}","output":"w{{index}}"}""")));
        var run = await server.RunAsync(
            "eval", "run", "--data", data, "--metric", "rougeL", "--model", RunningServer.Base, "--max-tokens", "8", "--json");
        Assert.True(run.ExitCode == 0, run.All);
        var score = JsonDocument.Parse(run.Out).RootElement.GetProperty("evaluation_runs")[0].GetProperty("scores")[0];
        Assert.Equal("8", score.GetProperty("example_count").GetString());
    }

    [Fact]
    public async Task An_interrupt_stops_the_training_which_can_be_resumed()
    {
        await using var training = server.Start(
            "finetune", "create", "--base", RunningServer.Base, "--specialist", RunningServer.Specialist,
            "--epochs", "2000", "--batch-size", "8", "--name", "long-one", "--watch");
        await training.LineAsync("loss");
        training.Signal("INT");
        var stopped = await training.EndAsync();
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("instructtune finetune resume long-one --watch", stopped.Error, StringComparison.Ordinal);

        using var client = server.Connect();
        var handle = client.FineTuneJob("fineTuneJobs/long-one");
        var cancelled = await handle.GetAsync(TestContext.Current.CancellationToken);
        Assert.Equal(JobState.Cancelled, cancelled.Job.State);

        var steps = cancelled.Stages.Sum(stage => stage.CompletedSteps);
        await using var resumed = server.Start("finetune", "resume", "long-one", "--watch");
        var line = await resumed.LineAsync("loss");
        // "long-one: specialist  120/16,000  loss ...": it goes on after the checkpoint, not from the start.
        var step = long.Parse(line.Split("  ")[1].Split('/')[0].Replace(",", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(steps > 0 && step > steps, $"resumed at {step} after {steps}");
        resumed.Signal("INT");
        Assert.Equal(130, (await resumed.EndAsync()).ExitCode);
    }
}
