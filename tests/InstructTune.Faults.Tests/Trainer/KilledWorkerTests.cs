using InstructTune.Faults.Tests.Hooks;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Workers that are killed in the middle of a two-stage job.</summary>
[Collection(TrainerCollection.Name)]
public sealed class KilledWorkerTests(TrainerScene scene, ITestOutputHelper output)
{
    /// <summary>The moments of a checkpoint, and one between steps.</summary>
    public static readonly string[] Points =
    [
        "checkpoint.before-write", "checkpoint.after-write", "checkpoint.before-fsync", "checkpoint.after-fsync",
        "checkpoint.before-rename", "checkpoint.after-rename", "checkpoint.before-report", "checkpoint.after-report",
    ];

    [Theory]
    [Trait(FaultSettings.Trait, "1")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_whose_worker_is_killed_again_and_again_gives_the_weights_and_the_history_of_an_undisturbed_one(bool isFull)
    {
        var random = FaultSettings.Begin(output, "1");
        await scene.UndisturbedAsync(isFull);
        var kills = FaultSettings.Count(2, 50);
        for (var done = 0; done < kills;)
        {
            done += await RunAsync(isFull, random, Math.Min(kills - done, 7));
        }
    }

    [Fact]
    [Trait(FaultSettings.Trait, "2")]
    public async Task At_every_moment_of_a_checkpoint_the_previous_or_the_new_one_is_left()
    {
        var random = FaultSettings.Begin(output, "2");
        await scene.UndisturbedAsync(isFull: false);
        for (var round = 0; round < FaultSettings.Count(1, 20); round++)
        {
            // All points in one job, each at a checkpoint of its own: the worker that follows is armed with the next. The suite takes half of them.
            var name = await scene.CreateAsync(TrainerScene.Spec());
            var points = Points.OrderBy(_ => random.Next()).Take(FaultSettings.Count(4, 8)).ToArray();
            var history = await FollowAsync(name, points.Select(point => new FaultPlan { Point = point, AtHit = random.Next(1, 3), Action = FaultAction.Kill }));
            var job = await scene.GetAsync(name);
            output.WriteLine($"round {round}: {job.Job.Attempt - 1} kills");
            Assert.InRange(job.Job.Attempt, 1 + (points.Length / 2), 1 + points.Length);
            await scene.CheckAsync(name, isFull: false, history);
        }
    }

    [Fact]
    [Trait(FaultSettings.Trait, "30")]
    public async Task With_kills_twenty_checkpoints_apart_more_than_nine_in_ten_steps_are_useful()
    {
        var random = FaultSettings.Begin(output, "30");
        var spec = TrainerScene.Spec();
        spec.CheckpointPolicy.EverySteps = 2;
        foreach (var stage in spec.Stages)
        {
            (stage.Epochs, stage.MaxSteps) = (100, FaultSettings.Count(60, 600));
        }

        // Exponential, as independent faults are: a mean of 40 steps is to a checkpoint every 2 as 10 minutes are to 30 seconds. The first comes in time
        // for the short form.
        var name = await scene.CreateAsync(spec);
        var history = await FollowAsync(name, Enumerable.Range(0, int.MaxValue).Select(number => new FaultPlan
        {
            Point = "training.step", AtHit = 2 + Math.Min((int)(-40 * Math.Log(1 - random.NextDouble())), number == 0 ? 60 : int.MaxValue), Action = FaultAction.Kill,
        }));
        var kills = (await scene.GetAsync(name)).Job.Attempt - 1;
        var useful = TrainerScene.Losses(history).Count;
        var all = history.Count(entry => entry.MetricsReported is not null);
        output.WriteLine($"{kills} kills, {useful} of {all} steps useful");
        Assert.True(kills > 0, "nothing was killed");
        Assert.Equal(2 * FaultSettings.Count(60, 600), useful);
        Assert.True(useful > 0.9 * all, $"{useful} of {all}");
    }

    // Half of the kills at a random step, half at a random moment of a checkpoint.
    private async Task<int> RunAsync(bool isFull, Random random, int kills)
    {
        var name = await scene.CreateAsync(TrainerScene.Spec(isFull));
        var steps = Enumerable.Range(0, kills).Select(_ => random.Next(1, TrainerScene.PlannedSteps - 1)).Order().ToArray();
        var plans = steps.Select((step, i) => i % 2 == 0
            ? new FaultPlan { Point = "training.step", AtHit = Math.Max(2, step - (i == 0 ? 0 : steps[i - 1])), Action = FaultAction.Kill }
            : new FaultPlan { Point = Points[random.Next(Points.Length)], AtHit = random.Next(1, 4), Action = FaultAction.Kill });
        var history = await FollowAsync(name, plans);
        var job = await scene.GetAsync(name);
        output.WriteLine($"{(isFull ? "full" : "LoRA")}: killed {job.Job.Attempt - 1} times");
        await scene.CheckAsync(name, isFull, history);
        Assert.True(job.Job.Attempt > 1, "nothing was killed");
        return job.Job.Attempt - 1;
    }

    // One worker after the other, each armed with the next plan, the last with none.
    private async Task<IReadOnlyList<JobEvent>> FollowAsync(string name, IEnumerable<FaultPlan> plans)
    {
        var watching = scene.WatchAsync(name);
        foreach (var plan in plans)
        {
            using var worker = scene.StartWorker(plan);
            var exit = worker.ExitAsync();
            if (await Task.WhenAny(exit, watching) == watching)
            {
                break;
            }

            Assert.Equal(137, await exit);
        }

        using var last = scene.StartWorker();
        return await watching;
    }
}
