using System.Text.Json;
using InstructTune.Testing;
using InstructTune.V1;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>What interrupts a job leaves its result as it was.</summary>
public sealed class StopAndResumeTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Covers("FineTuneService/ListCheckpoints", "OK")]
    [Covers("FineTuneService/ReadTrainingLogs", "OK")]
    public async Task A_job_that_was_cancelled_and_resumed_gives_the_bits_of_an_undisturbed_one(bool isFull)
    {
        var spec = Spec(isFull);
        var (undisturbed, _) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);

        var name = (await trainer.CreateAsync(spec)).Name;
        await WatchUntilAsync(name, entry => entry.MetricsReported is { Step: >= 3 });
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (cancelled, history) = await trainer.EndOfAsync(name);
        var checkpoints = await trainer.Jobs.ListCheckpointsAsync(new ListCheckpointsRequest { Parent = name }, cancellationToken: Token);
        await trainer.Jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (resumed, later) = await trainer.EndOfAsync(name, history[^1].Sequence);

        Assert.Equal(JobState.Cancelled, cancelled.Job.State);
        var lastStep = history.Last(entry => entry.MetricsReported is not null).MetricsReported.Step;
        Assert.Equal(lastStep, checkpoints.Checkpoints[0].Step);
        Assert.Equal($"{name}/checkpoints/a1-s{lastStep}", checkpoints.Checkpoints[0].Name);
        Assert.Equal(lastStep + 1, later.First(entry => entry.MetricsReported is not null).MetricsReported.Step);
        Assert.True(resumed.Job.State == JobState.Succeeded, resumed.Job.Error?.ToString());
        Assert.Equal(2, resumed.Job.Attempt);
        Assert.Equal(Unnamed(undisturbed), Unnamed(resumed));
        Assert.Equal(Digest(undisturbed), Digest(resumed));
        await AssertEveryStepIsLoggedOnceAsync(undisturbed, resumed);
    }

    [Theory]
    [InlineData(2, "adapter_model.safetensors")]
    [InlineData(2, "manifest.json")]
    [InlineData(1, "optimizer.safetensors")]
    public async Task A_damaged_checkpoint_is_passed_over_for_the_one_before_or_for_the_start(int keepLast, string damagedFile)
    {
        var spec = Spec(isFull: false);
        spec.CheckpointPolicy.KeepLast = keepLast;
        var (undisturbed, _) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);
        var name = (await trainer.CreateAsync(spec)).Name;
        await WatchUntilAsync(name, entry => entry.CheckpointSaved is { Step: >= 4 });
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (_, history) = await trainer.EndOfAsync(name);
        var newest = (await trainer.Jobs.ListCheckpointsAsync(new ListCheckpointsRequest { Parent = name }, cancellationToken: Token)).Checkpoints[0];
        FlipOneBit(Path.Combine(
            trainer.StorageRoot, "jobs", name.Split('/')[1], $"attempt-{newest.Attempt}", $"step-{newest.Step:D8}", damagedFile));

        await trainer.Jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (resumed, later) = await trainer.EndOfAsync(name, history[^1].Sequence);

        var notice = later.First(entry => entry.Notice is not null).Notice;
        Assert.Equal("CHECKPOINT_ROLLED_BACK", notice.Reason);
        Assert.Equal((damagedFile, newest.Name.Split('/')[^1]), (notice.Metadata["file"], notice.Metadata["checkpoint"]));
        var redone = later.First(entry => entry.MetricsReported is not null).MetricsReported.Step;
        // The last of the first stage is kept whatever else is.
        Assert.InRange(redone, 1, keepLast > 1 ? newest.Step : newest.Step > 5 ? 6 : 1);
        Assert.True(keepLast == 1 || redone > 1, "an older checkpoint was kept, so the job need not start over");
        Assert.Equal(Digest(undisturbed), Digest(resumed));
    }

    [Fact]
    public async Task Only_the_newest_checkpoints_and_the_last_of_each_stage_are_kept()
    {
        var spec = Spec(isFull: false);
        var (job, history) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);
        var kept = (await trainer.Jobs.ListCheckpointsAsync(new ListCheckpointsRequest { Parent = job.Name }, cancellationToken: Token)).Checkpoints;
        var saved = history.Where(entry => entry.CheckpointSaved is not null).Select(entry => entry.CheckpointSaved).ToArray();

        Assert.Equal([2, 4, 5, 6, 8], saved.Select(checkpoint => checkpoint.Step));
        Assert.Equal([8, 6, 5], kept.Select(checkpoint => checkpoint.Step));
        Assert.Equal(["specialist", "specialist", "generalist"], kept.Select(checkpoint => checkpoint.StageId));
        using var state = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(
            trainer.StorageRoot, "jobs", job.Name.Split('/')[1], "attempt-1", "step-00000008", "trainer_state.json")));
        Assert.Equal(
            history.Where(entry => entry.MetricsReported is not null).Select(entry => (entry.MetricsReported.Step, entry.MetricsReported.Values["training_loss"])),
            state.RootElement.GetProperty("log_history").EnumerateArray().Select(row => (row.GetProperty("step").GetInt64(), row.GetProperty("loss").GetDouble())));
        Assert.Equal(3, Directory.GetDirectories(Path.Combine(trainer.StorageRoot, "jobs", job.Name.Split('/')[1]), "step-*", SearchOption.AllDirectories).Length);
    }

    // The logs of both, apart from what depends on the clock.
    private async Task AssertEveryStepIsLoggedOnceAsync(params FineTuneJob[] jobs)
    {
        var logs = new List<(long, string, double?)[]>();
        foreach (var job in jobs)
        {
            var files = await trainer.LogsAsync(job.Name);
            Assert.Equal(["all_results.json", "events.out.tfevents", "metrics.jsonl", "train_results.json", "trainer_log.jsonl", "trainer_state.json"], files.Keys.Select(name => name.StartsWith("events", StringComparison.Ordinal) ? "events.out.tfevents" : name));
            using var state = JsonDocument.Parse(files["trainer_state.json"]);
            logs.Add([.. state.RootElement.GetProperty("log_history").EnumerateArray().Select(row => (
                row.GetProperty("step").GetInt64(),
                row.TryGetProperty("loss", out _) ? "training" : "end",
                row.TryGetProperty("loss", out var loss) ? loss.GetDouble() : (double?)null))]);
        }

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 8], logs[0].Select(row => row.Item1));
        Assert.Equal("end", logs[0][^1].Item2);
        Assert.All(logs, log => Assert.Equal(logs[0], log));
    }

    // Five steps, then three, with checkpoints at 2, 4, the border at 5, 6 and 8.
    private FineTuneSpec Spec(bool isFull)
    {
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), TrainerFixture.Stage("specialist", "special"));
        spec.CheckpointPolicy = new FineTuneSpec.Types.CheckpointPolicy { EverySteps = 2, KeepLast = 2 };
        spec.Method = isFull
            ? new TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() }
            : new TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 4, Dropout = 0.1 } };
        return spec;
    }

    private static void FlipOneBit(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Seek(-1, SeekOrigin.End);
        var last = file.ReadByte();
        file.Seek(-1, SeekOrigin.End);
        file.WriteByte((byte)(last ^ 1));
    }

    // The names of checkpoints have the job and the attempt in them.
    private static FineTuneJob.Types.StageStatus[] Unnamed(FineTuneJob job) => [.. job.Stages.Select(stage => new FineTuneJob.Types.StageStatus(stage) { Checkpoint = "" })];

    private Task WatchUntilAsync(string name, Func<JobEvent, bool> isReached) => trainer.WatchUntilAsync(name, isReached);

    private string Digest(FineTuneJob job) => trainer.VersionOf(job).ManifestSha256;
}
