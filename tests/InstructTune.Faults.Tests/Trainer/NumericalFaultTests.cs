using InstructTune.Faults.Tests.Hooks;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Numbers that are none, and numerics that change.</summary>
[Collection(TrainerCollection.Name)]
public sealed class NumericalFaultTests(TrainerScene scene, ITestOutputHelper output)
{
    [Fact]
    [Trait(FaultSettings.Trait, "15")]
    public async Task A_loss_that_is_not_a_number_fails_the_job_in_that_step_and_keeps_the_last_good_checkpoint()
    {
        FaultSettings.Begin(output, "15");
        var spec = Wild();
        var name = await scene.CreateAsync(spec);
        using var worker = scene.StartWorker();
        var history = await scene.WatchAsync(name);
        var job = await scene.GetAsync(name);

        Assert.Equal((JobState.Failed, ErrorReason.TrainingDiverged, 1), (job.Job.State, job.Job.Error.Reason, job.Job.Attempt));
        var lastStep = history.Last(entry => entry.MetricsReported is not null).MetricsReported.Step;
        Assert.Equal(("specialist", $"{lastStep - 20 + 1}"), (job.Job.Error.Metadata["stage"], job.Job.Error.Metadata["step"]));
        var record = await scene.Store.GetAsync(name.Split('/')[1], TestContext.Current.CancellationToken);
        CheckpointInvariants.Check(scene.Services, record!, history);
        Assert.InRange(record!.Step, lastStep - 2, lastStep);
    }

    [Fact]
    [Trait(FaultSettings.Trait, "15")]
    public async Task Steps_that_are_not_finite_are_passed_over_as_often_as_the_policy_says()
    {
        FaultSettings.Begin(output, "15");
        var spec = Wild();
        spec.DivergencePolicy = new FineTuneSpec.Types.DivergencePolicy { MaxSkippedSteps = 3 };
        var name = await scene.CreateAsync(spec);
        using var worker = scene.StartWorker();
        var history = await scene.WatchAsync(name);
        var job = await scene.GetAsync(name);

        // Weights that are lost stay so: three steps are passed over, and the fourth fails.
        Assert.Equal((JobState.Failed, ErrorReason.TrainingDiverged), (job.Job.State, job.Job.Error.Reason));
        Assert.Equal(3, history.Count(entry => entry.Notice?.Reason == "STEP_SKIPPED"));
    }

    [Fact]
    [Trait(FaultSettings.Trait, "16")]
    public async Task Another_number_of_threads_is_an_event_and_never_a_silent_change()
    {
        FaultSettings.Begin(output, "16");
        var name = await scene.CreateAsync(TrainerScene.Spec());
        using var first = scene.StartWorker(new FaultPlan { Point = "training.step", AtHit = 8, Action = FaultAction.Kill });
        var watching = scene.WatchAsync(name);
        await first.ExitAsync();
        using var second = scene.StartWorker(null, ("Torch:Threads", "2"));
        var history = await watching;

        var changed = Assert.Single(history, entry => entry.NumericsChanged is not null);
        Assert.Equal(("1", "2"), (changed.NumericsChanged.Before["threads"], changed.NumericsChanged.After["threads"]));
        // The first with other threads; on a machine so busy that a lease is lost before it begins, not the second.
        Assert.Equal(history.First(entry => entry.Attempt > 1 && entry.MetricsReported is not null).Attempt, changed.Attempt);
        var job = await scene.GetAsync(name);
        Assert.Equal((JobState.Succeeded, "2"), (job.Job.State, job.Numerics["threads"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait(FaultSettings.Trait, "15")]
    public async Task A_job_that_runs_out_of_memory_goes_on_once_with_half_the_rows_in_a_pass_and_the_same_losses(bool isFull)
    {
        FaultSettings.Begin(output, "15");
        var spec = TrainerScene.Spec(isFull);
        if (spec.Method.Lora is { } lora)
        {
            // Dropout is drawn for a pass: other passes, other masks.
            lora.Dropout = 0;
        }

        var undisturbed = await scene.CreateAsync(spec);
        using (scene.StartWorker())
        {
            await scene.WatchAsync(undisturbed);
        }

        var name = await scene.CreateAsync(spec);
        using var worker = scene.StartWorker(new FaultPlan { Point = "training.step", AtHit = 5, Action = FaultAction.OutOfMemory });
        var history = await scene.WatchAsync(name);
        var job = await scene.GetAsync(name);

        Assert.Equal((JobState.Succeeded, 2), (job.Job.State, job.Job.Attempt));
        var (expected, losses) = (await LossesAsync(undisturbed), await LossesAsync(name));
        Assert.Equal(expected.Keys.Order(), losses.Keys.Order());
        Assert.All(expected, loss => Assert.Equal(loss.Value, losses[loss.Key], 1e-5 * loss.Value));
        output.WriteLine($"largest relative difference of a loss: {expected.Max(loss => Math.Abs(losses[loss.Key] - loss.Value) / loss.Value):g2}");
        Assert.DoesNotContain(history, entry => entry.StageStarted?.ReusedCheckpoint.Length > 0);
    }

    // The last attempt at a step counts.
    private async Task<Dictionary<long, double>> LossesAsync(string name)
    {
        var losses = new Dictionary<long, double>();
        foreach (var entry in (await scene.WatchAsync(name)).Where(entry => entry.MetricsReported is not null))
        {
            losses[entry.MetricsReported.Step] = entry.MetricsReported.Values["training_loss"];
        }

        return losses;
    }

    // The second stage destroys the weights in its first steps.
    private static FineTuneSpec Wild()
    {
        var spec = TrainerScene.Spec(isFull: true);
        (spec.Stages[1].PeakLearningRate, spec.Stages[1].WarmupSteps, spec.Stages[1].MaxGradientNorm) = (1e30, 3, 0);
        spec.CheckpointPolicy.EverySteps = 1;
        return spec;
    }
}
