using InstructTune.V1;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>A stage that an equal job has trained, or is training, is not trained again.</summary>
public sealed class StageReuseTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_equal_first_stage_is_taken_from_the_job_that_trained_it(bool isFull)
    {
        var (first, _) = await trainer.RunAsync(Spec(isFull, seed: 21, specialistEpochs: 1));
        var other = Spec(isFull, seed: 21, specialistEpochs: 2);
        var (reusing, events) = await trainer.RunAsync(other);
        other.DisableStageReuse = true;
        var (trained, all) = await trainer.RunAsync(other);

        var taken = events.Where(entry => entry.StageStarted is not null).Select(entry => entry.StageStarted).ToArray();
        Assert.Equal([$"{first.Name}/checkpoints/a1-s5", ""], taken.Select(stage => stage.ReusedCheckpoint));
        Assert.Equal(taken[0].ReusedCheckpoint, reusing.Stages[0].ReusedCheckpoint);
        Assert.Equal(Enumerable.Range(6, 6).Select(step => (long)step), Steps(events));
        Assert.Equal(11, Steps(all).Count);
        Assert.All(trained.Stages, stage => Assert.Empty(stage.ReusedCheckpoint));
        Assert.Equal(trained.SpecSha256, reusing.SpecSha256);
        Assert.Equal(Digest(trained), Digest(reusing));
        Assert.NotEqual(Digest(first), Digest(reusing));
    }

    [Fact]
    public async Task A_wholly_equal_job_trains_nothing_and_has_the_same_result()
    {
        var (first, _) = await trainer.RunAsync(Spec(isFull: false, seed: 22));
        var (second, events) = await trainer.RunAsync(Spec(isFull: false, seed: 22));

        Assert.Empty(Steps(events));
        Assert.Equal(1, second.Job.Progress);
        Assert.Equal(first.Stages.Select(stage => stage.CompletedSteps), second.Stages.Select(stage => stage.CompletedSteps));
        Assert.All(second.Stages, stage => Assert.Equal($"{first.Name}/checkpoints/a1-s8", stage.ReusedCheckpoint));
        Assert.Equal(Digest(first), Digest(second));
        var (trained, reused) = (await trainer.LogsAsync(first.Name), await trainer.LogsAsync(second.Name));
        Assert.Equal(trained["train_results.json"], reused["train_results.json"]);
        Assert.Equal(trained["trainer_state.json"], reused["trainer_state.json"]);
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_not_reused()
    {
        var (first, _) = await trainer.RunAsync(Spec(isFull: false, seed: 23));
        foreach (var step in new[] { "step-00000005", "step-00000008" })
        {
            await File.AppendAllTextAsync(
                Path.Combine(trainer.StorageRoot, "jobs", first.Name.Split('/')[1], "attempt-1", step, "adapter_model.safetensors"), "x", Token);
        }

        var (second, events) = await trainer.RunAsync(Spec(isFull: false, seed: 23));
        Assert.Equal(8, Steps(events).Count);
        Assert.Equal(Digest(first), Digest(second));
    }

    [Fact]
    public async Task A_job_waits_for_one_that_trains_an_equal_stage_and_takes_what_it_made()
    {
        await using var worker = await trainer.StartTrainerAsync(trainer.Store, "Worker");
        var (first, second) = await StartTwoAsync(seed: 24, epochs: 6);
        var (trained, _) = await trainer.EndOfAsync(first);
        var (waited, events) = await trainer.EndOfAsync(second);

        Assert.Equal((JobState.Succeeded, JobState.Succeeded), (trained.Job.State, waited.Job.State));
        Assert.Empty(Steps(events));
        Assert.StartsWith(first + "/", waited.Stages[0].ReusedCheckpoint, StringComparison.Ordinal);
        Assert.Equal(Digest(trained), Digest(waited));
    }

    [Fact]
    public async Task A_job_that_waits_takes_over_when_the_other_is_cancelled()
    {
        await using var worker = await trainer.StartTrainerAsync(trainer.Store, "Worker");
        var (first, second) = await StartTwoAsync(seed: 25, epochs: 40);
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = first }, cancellationToken: Token);
        await trainer.EndOfAsync(first);
        await trainer.WatchUntilAsync(second, entry => entry.MetricsReported is { Step: >= 1 });
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = second }, cancellationToken: Token);
        await trainer.EndOfAsync(second);
    }

    // The second waits for the first by then.
    private async Task<(string First, string Second)> StartTwoAsync(ulong seed, double epochs)
    {
        var spec = trainer.Spec(TrainerFixture.Stage("only", "general", epochs));
        (spec.Seed, spec.DisableStageReuse) = (seed, false);
        var first = (await trainer.CreateAsync(spec)).Name;
        await trainer.WatchUntilAsync(first, entry => entry.MetricsReported is not null);
        var second = (await trainer.CreateAsync(spec)).Name;
        var notice = (await trainer.WatchUntilAsync(second, entry => entry.Notice is not null)).Notice;
        Assert.Equal(("STAGE_AWAITED", first), (notice.Reason, notice.Metadata["job"]));
        return (first, second);
    }

    private FineTuneSpec Spec(bool isFull, ulong seed, double specialistEpochs = 1)
    {
        var spec = trainer.Spec(TrainerFixture.Stage("generalist", "general"), TrainerFixture.Stage("specialist", "special", specialistEpochs));
        (spec.Seed, spec.DisableStageReuse) = (seed, false);
        spec.Method = isFull
            ? new TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() }
            : new TrainingMethod { Lora = new FineTuneSpec.Types.LoraMethod { Rank = 4, Dropout = 0.1 } };
        return spec;
    }

    private static IReadOnlyList<long> Steps(IEnumerable<JobEvent> events) =>
        [.. events.Where(entry => entry.MetricsReported is not null).Select(entry => entry.MetricsReported.Step)];

    private string Digest(FineTuneJob job) => trainer.VersionOf(job).ManifestSha256;
}
