using InstructTune.Faults.Tests.Hooks;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Workers that are asked to end, frozen, or hang.</summary>
[Collection(TrainerCollection.Name)]
public sealed class StoppedWorkerTests(TrainerScene scene, ITestOutputHelper output)
{
    private static readonly TimeSpan LongestTakeover = TimeSpan.FromSeconds(5);

    [Fact]
    [Trait(FaultSettings.Trait, "3")]
    public async Task A_worker_asked_to_end_saves_at_a_step_border_and_another_goes_on_within_five_seconds()
    {
        var random = FaultSettings.Begin(output, "3");
        await scene.UndisturbedAsync(isFull: false);
        for (var done = 0; done < FaultSettings.Count(2, 50); done++)
        {
            var name = await scene.CreateAsync(TrainerScene.Spec());
            using var running = scene.StartWorker();
            await scene.ReachedAsync(name, entry => entry.StateChanged is { To: JobState.Running });
            using var waiting = await IdleAsync();
            var step = random.NextInt64(1, 36);
            var (stopped, takeover) = (default(DateTimeOffset), TimeSpan.Zero);
            var history = await scene.WatchAsync(name, async entry =>
            {
                if (entry.MetricsReported is not null && entry.Attempt == 2 && takeover == TimeSpan.Zero)
                {
                    takeover = entry.CreateTime.ToDateTimeOffset() - stopped;
                }

                if (entry.MetricsReported is { } metrics && metrics.Step >= step && stopped == default)
                {
                    stopped = TimeProvider.System.GetUtcNow();
                    running.Signal("TERM");
                    Assert.Equal(0, await running.ExitAsync());
                }
            });
            var job = await scene.GetAsync(name);
            output.WriteLine($"asked after step {step}; taken over after {takeover.TotalSeconds:0.00} s");
            Assert.InRange(job.Job.Attempt, 1, 2);
            Assert.Equal(0, job.Job.FailureCount);
            Assert.Equal(TrainerScene.PlannedSteps, history.Count(entry => entry.MetricsReported is not null));
            Assert.True(takeover < LongestTakeover, $"{takeover}");
            await scene.CheckAsync(name, isFull: false, history);
        }
    }

    [Fact]
    [Trait(FaultSettings.Trait, "4")]
    public async Task A_worker_frozen_for_two_leases_finds_its_writes_refused_and_lets_go()
    {
        var random = FaultSettings.Begin(output, "4");
        await scene.UndisturbedAsync(isFull: false);
        for (var round = 0; round < FaultSettings.Count(1, 20); round++)
        {
            var name = await scene.CreateAsync(TrainerScene.Spec());
            using var frozen = scene.StartWorker();
            WorkerProcess? other = null;
            var step = random.NextInt64(2, 30);
            var frozenAt = 0L;
            var history = await scene.WatchAsync(name, async entry =>
            {
                if (entry.MetricsReported is { } metrics && metrics.Step >= step && other is null)
                {
                    frozenAt = TimeProvider.System.GetTimestamp();
                    frozen.Signal("STOP");
                    other = scene.StartWorker();
                }
                else if (frozenAt != 0 && entry.Attempt == 2 && TimeProvider.System.GetElapsedTime(frozenAt) > TrainerScene.Lease * 2)
                {
                    frozenAt = 0;
                    frozen.Signal("CONT");
                }
            });
            if (frozenAt != 0)
            {
                // The other was done before two leases were over.
                frozen.Signal("CONT");
            }

            // Within one renewal of its waking, and what a busy machine takes to run it.
            await frozen.SaysAsync("its work is not published", TrainerScene.Renewal + TimeSpan.FromSeconds(2));
            other!.Dispose();
            Assert.Equal(2, (await scene.GetAsync(name)).Job.Attempt);
            await scene.CheckAsync(name, isFull: false, history);
            Assert.False(frozen.HasExited);

            // It lost one job, not its life: it does the next.
            await scene.CheckAsync(await RunAsync(), isFull: false, await scene.WatchAsync(_last));
        }
    }

    [Fact]
    [Trait(FaultSettings.Trait, "5")]
    public async Task A_training_loop_that_hangs_under_a_living_heartbeat_loses_its_job_to_another_worker()
    {
        var random = FaultSettings.Begin(output, "5");
        await scene.UndisturbedAsync(isFull: false);
        for (var round = 0; round < FaultSettings.Count(1, 20); round++)
        {
            var name = await scene.CreateAsync(TrainerScene.Spec());
            using var hanging = scene.StartWorker(new FaultPlan { Point = "training.step", AtHit = random.Next(5, 15), Action = FaultAction.Hang });
            var hung = await scene.ReachedAsync(name, entry => entry.MetricsReported is not null);
            using var other = scene.StartWorker();
            var history = await scene.WatchAsync(name);
            // Of the attempt that came so far as to train; a busy machine may have lost one before its first step.
            var steps = history.Where(entry => entry.Attempt == hung.Attempt && entry.MetricsReported is not null).ToList();
            var reaped = history.First(entry => entry.StateChanged is { To: JobState.Queued } && entry.Sequence > steps[^1].Sequence);
            var silence = reaped.CreateTime.ToDateTimeOffset() - steps[^1].CreateTime.ToDateTimeOffset();
            output.WriteLine($"given to another after {silence.TotalSeconds:0.0} s");
            var limit = WatchdogLimit(steps) + TrainerScene.Lease + TrainerScene.Renewal + TrainerScene.Reap;
            Assert.True(silence < limit + TimeSpan.FromSeconds(2), $"{silence} is over {limit}");
            Assert.True(hung.Sequence < reaped.Sequence);
            await scene.CheckAsync(name, isFull: false, history);
            // One thread of it hangs: the process ends, so that whoever keeps it starts it anew.
            await hanging.SaysAsync("it hangs", TrainerScene.HungLimit + limit);
            Assert.Equal(InstructTune.Jobs.JobServiceCollectionExtensions.HungExitCode, await hanging.ExitAsync());
        }
    }

    [Fact]
    [Trait(FaultSettings.Trait, "34")]
    public async Task A_storm_of_signals_ends_a_worker_and_costs_the_job_nothing_it_had_saved()
    {
        var random = FaultSettings.Begin(output, "34");
        await scene.UndisturbedAsync(isFull: false);
        for (var round = 0; round < FaultSettings.Count(1, 50); round++)
        {
            var name = await scene.CreateAsync(TrainerScene.Spec());
            var worker = scene.StartWorker();
            var step = random.NextInt64(1, 30);
            var codes = new List<int>();
            var history = await scene.WatchAsync(name, async entry =>
            {
                if (entry.MetricsReported is { } metrics && metrics.Step >= step && codes.Count == 0)
                {
                    for (var i = 0; i < 5; i++)
                    {
                        worker.Signal("TERM");
                    }

                    codes.Add(await worker.ExitAsync());
                    worker.Dispose();
                    worker = scene.StartWorker();
                }
            });
            worker.Dispose();
            output.WriteLine($"round {round}: exit code {codes[0]}");
            // In good order, or at once at the second signal; never by a crash.
            Assert.True(codes[0] is 0 or 143, $"exit code {codes[0]}");
            await scene.CheckAsync(name, isFull: false, history);
        }
    }

    // As the watchdog has it: a machine that is busy makes long steps, and 20 of them are no hang.
    private static TimeSpan WatchdogLimit(List<JobEvent> steps)
    {
        var gaps = steps.Zip(steps.Skip(1), (one, next) => next.CreateTime.ToDateTimeOffset() - one.CreateTime.ToDateTimeOffset()).Order().ToList();
        // The way to the first step is one more, and longer.
        var median = gaps.Count == 0 ? TimeSpan.Zero : gaps[Math.Min(gaps.Count - 1, (gaps.Count / 2) + 1)];
        return 20 * median > TrainerScene.StallLimit ? 20 * median : TrainerScene.StallLimit;
    }

    private string _last = "";

    private async Task<string> RunAsync()
    {
        _last = await scene.CreateAsync(TrainerScene.Spec());
        await scene.WatchAsync(_last);
        return _last;
    }

    // A worker that stands by: it has said that it listens.
    private async Task<WorkerProcess> IdleAsync()
    {
        var worker = scene.StartWorker();
        await worker.SaysAsync("Application started", TimeSpan.FromSeconds(30));
        return worker;
    }
}
