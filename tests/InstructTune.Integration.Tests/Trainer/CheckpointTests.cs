using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Checkpoints on request, by validation, and one by one.</summary>
public sealed class CheckpointTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("FineTuneService/RequestCheckpoint", "OK")]
    [Covers("FineTuneService/RequestCheckpoint", "JOB_NOT_RUNNING")]
    [Covers("FineTuneService/GetCheckpoint", "OK")]
    public async Task A_running_job_saves_a_checkpoint_when_asked_and_goes_on()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("only", "general", epochs: 60));
        var name = (await trainer.CreateAsync(spec)).Name;
        await trainer.WatchUntilAsync(name, entry => entry.MetricsReported is { Step: >= 2 });
        await trainer.Jobs.RequestCheckpointAsync(new RequestCheckpointRequest { Name = name }, cancellationToken: Token);
        var saved = (await trainer.WatchUntilAsync(name, entry => entry.CheckpointSaved is not null)).CheckpointSaved;
        Assert.InRange(saved.Step, 2, 99);
        var checkpoint = await trainer.Jobs.GetCheckpointAsync(new GetCheckpointRequest { Name = saved.Checkpoint }, cancellationToken: Token);
        Assert.Equal((saved.Step, "only", 1, false), (checkpoint.Step, checkpoint.StageId, checkpoint.Attempt, checkpoint.HasValidationLoss));

        await trainer.WatchUntilAsync(name, entry => entry.MetricsReported is { } metrics && metrics.Step > saved.Step);
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (_, events) = await trainer.EndOfAsync(name);
        Assert.InRange(events.Count(entry => entry.CheckpointSaved is not null), 2, 4);
        var refused = await TrainerFixture.FailureAsync(async () => await trainer.Jobs.RequestCheckpointAsync(new RequestCheckpointRequest { Name = name }));
        Assert.Equal((ErrorReason.JobNotRunning, "CANCELLED"), (refused.Reason, refused.Metadata["state"]));
        Assert.Equal(ErrorReason.ResourceNotFound, (await TrainerFixture.FailureAsync(
            async () => await trainer.Jobs.GetCheckpointAsync(new GetCheckpointRequest { Name = name + "/checkpoints/a9-s1" }))).Reason);
    }

    [Fact]
    public async Task With_keep_best_a_stage_ends_with_the_weights_that_validated_best()
    {
        var stage = TrainerFixture.Stage("only", "general", epochs: 4);
        stage.ValidationDatasets.Add("datasets/special");
        (stage.ValidationEverySteps, stage.PeakLearningRate) = (2, 3e-2);
        var spec = trainer.Spec(stage);
        spec.CheckpointPolicy = new FineTuneSpec.Types.CheckpointPolicy { EverySteps = 1000, KeepBest = true };
        var (job, events) = await trainer.RunAsync(spec);

        var losses = events.Where(entry => entry.MetricsReported?.Values.ContainsKey("validation_loss") == true)
            .ToDictionary(entry => entry.MetricsReported.Step, entry => entry.MetricsReported.Values["validation_loss"]);
        Assert.Equal([2, 4, 6, 8, 10, 12, 14, 16, 18, 20], losses.Keys.Order());
        var best = losses.MinBy(pair => pair.Value);
        Assert.Equal($"{job.Name}/checkpoints/a1-s{best.Key}", job.Stages[0].BestCheckpoint);
        Assert.Equal(best.Value, job.Stages[0].ValidationLoss);
        Assert.Equal(best.Key != 20, events.Any(entry => entry.Notice?.Reason == "BEST_WEIGHTS_USED"));
        var checkpoint = await trainer.Jobs.GetCheckpointAsync(new GetCheckpointRequest { Name = job.Stages[0].BestCheckpoint }, cancellationToken: Token);
        Assert.Equal(best.Value, checkpoint.ValidationLoss);
        var result = await trainer.Services.GetRequiredService<IArtifactStore>().OpenAsync(trainer.VersionOf(job).ManifestSha256, Token);
        var kept = Path.Combine(trainer.StorageRoot, "jobs", job.Name.Split('/')[1], "attempt-1", $"step-{best.Key:D8}", "adapter_model.safetensors");
        Assert.Equal(await File.ReadAllBytesAsync(kept, Token), await File.ReadAllBytesAsync(Path.Combine(result.Path, "adapter_model.safetensors"), Token));
    }

    [Fact]
    public async Task Validation_changes_no_bit_of_what_is_trained()
    {
        var plain = trainer.Spec(TrainerFixture.Stage("only", "general"));
        var validated = plain.Clone();
        validated.Stages[0].ValidationDatasets.Add("datasets/special");
        var (first, _) = await trainer.RunAsync(plain);
        var (second, _) = await trainer.RunAsync(validated);
        Assert.True(second.Stages[0].HasValidationLoss);
        Assert.Equal(await trainer.WeightsOfAsync(first), await trainer.WeightsOfAsync(second));
    }
}
