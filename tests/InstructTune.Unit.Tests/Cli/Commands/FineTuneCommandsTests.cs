using System.Text.Json;
using InstructTune.Cli.CommandLine;
using InstructTune.Testing;
using InstructTune.Unit.Tests.Client;
using InstructTune.V1;
using static InstructTune.Unit.Tests.Client.JobEventScript;

namespace InstructTune.Unit.Tests.Cli.Commands;

public sealed class FineTuneCommandsTests
{
    [Fact]
    public async Task The_common_case_is_one_line()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(
            api, "finetune", "create", "--base", "tiny@2", "--generalist", "lima", "--specialist", "reviews@0123",
            "--epochs", "generalist=1,specialist=3", "--max-examples", "100", "--rank", "4", "--seed", "9");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        var spec = Assert.Single(api.Services.FineTunes.Created).FineTuneJob.Spec;
        Assert.Equal("models/tiny/versions/2", spec.BaseModel);
        Assert.Equal(4, spec.Method.Lora.Rank);
        Assert.Equal(9UL, spec.Seed);
        Assert.Equal(["datasets/lima", "datasets/reviews/versions/0123"], spec.Stages.Select(stage => stage.Dataset));
        Assert.Equal([1.0, 3.0], spec.Stages.Select(stage => stage.Epochs));
        Assert.All(spec.Stages, stage => Assert.Equal(100, stage.MaxExamples));
        Assert.Contains("instructtune finetune watch first", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lima,alpaca", "Concatenate", "")]
    [InlineData("lima=3,alpaca=0.5", "InterleaveUntilFirst", "3 0.5")]
    public async Task Several_datasets_of_a_stage_are_a_mix(string generalist, string strategy, string weights)
    {
        await using var api = await FakeApi.StartAsync();
        await CliRun.Async(api, "finetune", "create", "--base", "fineTuneJobs/a/checkpoints/a1-s5", "--generalist", generalist, "--method", "freeze", "--last-layers", "2");
        var spec = Assert.Single(api.Services.FineTunes.Created).FineTuneJob.Spec;
        Assert.Equal(("fineTuneJobs/a/checkpoints/a1-s5", "", 2), (spec.BaseModel, spec.Stages[0].Dataset, spec.Method.Freeze.TrainableLastLayers));
        Assert.Equal(["datasets/lima", "datasets/alpaca"], spec.Stages[0].Mix.Components.Select(component => component.Version));
        Assert.Equal(strategy, spec.Stages[0].Mix.Strategy.ToString());
        Assert.Equal(weights, string.Join(' ', spec.Stages[0].Mix.Components.Where(component => component.HasWeight).Select(component => component.Weight.ToString(System.Globalization.CultureInfo.InvariantCulture))));
    }

    [Fact]
    public async Task A_stage_given_as_a_file_is_imported_first()
    {
        await using var api = await FakeApi.StartAsync();
        using var folder = new TemporaryFolder();
        await using (var writer = new StreamWriter(folder["my reviews.jsonl"]))
        {
            await writer.WriteLineAsync("{}");
        }

        await CliRun.Async(api, "finetune", "create", "--base", "tiny", "--specialist", folder["my reviews.jsonl"]);
        Assert.Equal(["my-reviews"], api.Services.Datasets.Created);
        Assert.Equal("datasets/my-reviews/versions/0123456789abcdef", api.Services.FineTunes.Created[0].FineTuneJob.Spec.Stages[0].Dataset);
    }

    [Theory]
    [InlineData("--base", "tiny")]
    [InlineData("--specialist", "lima")]
    [InlineData("--base", "tiny", "--specialist", "lima", "--method", "full", "--rank", "4")]
    [InlineData("--base", "tiny", "--specialist", "lima", "--method", "freeze")]
    [InlineData("--base", "tiny", "--specialist", "lima=2,alpaca")]
    [InlineData("--base", "tiny", "--specialist", "lima=2,alpaca=x")]
    [InlineData("-f", "job.yaml", "--epochs", "3")]
    [InlineData("-f", "absent.yaml")]
    public async Task A_job_that_is_not_wholly_given_is_a_usage_error(params string[] arguments)
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, ["finetune", "create", .. arguments]);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Empty(api.Services.FineTunes.Created);
    }

    [Fact]
    public async Task Watching_in_a_pipe_writes_plain_lines_and_the_result_alone_to_standard_output()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.AddRange(
            [State(1, JobState.Running), Phase(2, "training"), Measured(3, 5, 10, 2.5, 1), State(4, JobState.Succeeded)]);
        var run = await CliRun.Async(api, "finetune", "watch", "first");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal("models/first/versions/1", run.Out.Trim());
        Assert.Contains("first: specialist  5/10  loss 2.5000  1,234 tokens/s", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Error);
    }

    [Fact]
    public async Task The_logs_of_a_job_are_written_as_the_server_has_them()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Logs["trainer_log.jsonl"] = "{}\n";
        api.Services.FineTunes.Logs["events.out.tfevents.1.first.1.0"] = "events";
        using var folder = new TemporaryFolder();

        var run = await CliRun.Async(api, "finetune", "log", "first", "--export", folder["new"]);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal("{}\n", await File.ReadAllTextAsync(folder["new/trainer_log.jsonl"], TestContext.Current.CancellationToken));
        Assert.Equal("events", await File.ReadAllTextAsync(folder["new/events.out.tfevents.1.first.1.0"], TestContext.Current.CancellationToken));
        Assert.Equal(2, Directory.GetFiles(folder["new"]).Length);
    }

    [Fact]
    public async Task A_log_file_with_a_path_in_its_name_is_refused()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Logs["../elsewhere"] = "content";
        using var folder = new TemporaryFolder();
        var run = await CliRun.Async(api, "finetune", "log", "first", "--export", folder["new"]);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.False(File.Exists(folder["elsewhere"]));
    }

    [Fact]
    public async Task Without_a_step_there_is_no_log_yet()
    {
        await using var api = await FakeApi.StartAsync();
        var run = await CliRun.Async(api, "finetune", "log", "first");
        Assert.Contains("first has reported no step yet.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plot_is_drawn_at_the_end_where_nobody_looks()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.AddRange([State(1, JobState.Running), Measured(2, 1, 2, 3, 1), Measured(3, 2, 2, 1, 2), State(4, JobState.Succeeded)]);
        var run = await CliRun.Async(api, "finetune", "watch", "first", "--plot");
        Assert.Contains("  3.0000 \u2502", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Error);
    }

    [Fact]
    public async Task Watching_as_JSON_gives_one_event_a_line()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.AddRange([State(1, JobState.Running), State(2, JobState.Succeeded)]);
        var run = await CliRun.Async(api, "finetune", "watch", "first", "--json");
        var sequences = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("sequence").GetString());
        Assert.Equal(["1", "2"], sequences);
    }

    [Fact]
    public async Task A_job_that_failed_says_why_and_how_to_resume()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Job.Job = new JobStatus
        {
            State = JobState.Failed, Error = new JobError { Reason = ErrorReason.TrainingDiverged, Message = "The loss is not finite at step 3." },
        };
        api.Services.FineTunes.Events.Add(State(1, JobState.Failed));
        var run = await CliRun.Async(api, "finetune", "watch", "first");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Contains("first failed: The loss is not finite at step 3.", run.Error, StringComparison.Ordinal);
        Assert.Contains("instructtune finetune resume first --watch", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_cancels_the_job_that_the_command_started()
    {
        await using var api = await FakeApi.StartAsync();
        using var interrupts = new Interrupts();
        api.Services.FineTunes.RunsForEver = true;
        api.Services.FineTunes.Events.Add(State(1, JobState.Running));
        var running = CliRun.Async(api, interrupts, "", "finetune", "create", "--base", "tiny", "--specialist", "lima", "--watch");
        await api.Services.FineTunes.Watching.Task;
        interrupts.Interrupt();
        var run = await running;
        Assert.Equal(ExitCode.Interrupted, run.ExitCode);
        Assert.Equal(JobState.Cancelled, api.Services.FineTunes.Job.Job.State);
        Assert.Contains("Resume it with: instructtune finetune resume first --watch", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_leaves_the_job_of_somebody_else_alone()
    {
        await using var api = await FakeApi.StartAsync();
        using var interrupts = new Interrupts();
        api.Services.FineTunes.RunsForEver = true;
        api.Services.FineTunes.Job.Job.State = JobState.Running;
        api.Services.FineTunes.Events.Add(State(1, JobState.Running));
        var running = CliRun.Async(api, interrupts, "", "finetune", "watch", "first");
        await api.Services.FineTunes.Watching.Task;
        interrupts.Interrupt();
        var run = await running;
        Assert.Equal(ExitCode.Interrupted, run.ExitCode);
        Assert.Equal(JobState.Running, api.Services.FineTunes.Job.Job.State);
    }
}
