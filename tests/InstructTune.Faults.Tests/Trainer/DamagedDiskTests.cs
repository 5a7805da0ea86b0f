using InstructTune.Faults.Tests.Hooks;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer.Checkpoints;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Bits that flip, and a disk that is full.</summary>
[Collection(TrainerCollection.Name)]
public sealed class DamagedDiskTests(TrainerScene scene, ITestOutputHelper output)
{
    [Fact]
    [Trait(FaultSettings.Trait, "11")]
    public async Task Every_flipped_bit_of_a_checkpoint_a_result_and_a_dataset_is_caught_and_its_file_named()
    {
        var random = FaultSettings.Begin(output, "11");
        var (job, _) = await scene.UndisturbedAsync(isFull: false);
        var store = scene.Services.GetRequiredService<CheckpointStore>();
        var id = job.Name.Split('/')[1];
        var record = await scene.Store.GetAsync(id, TestContext.Current.CancellationToken);
        var checkpoints = store.Chain(id, CheckpointReference.Parse(record!.Checkpoint)).Select(link => link.Reference).ToArray();
        var count = FaultSettings.Count(300, 1000);
        for (var i = 0; i < count; i++)
        {
            var reference = checkpoints[random.Next(checkpoints.Length)];
            var folder = Path.Combine(scene.Root, "jobs", id, reference.Path);
            using var flip = FlippedBit.In(folder, random);
            Assert.Equal(flip.File, Assert.Throws<CheckpointCorruptException>(() => store.Open(id, reference)).File);
        }

        foreach (var digest in new[] { scene.Digest(job), scene.DatasetDigest() })
        {
            for (var i = 0; i < count; i++)
            {
                // A store of its own each time: hashes are verified once per process.
                var artifacts = new DiskArtifactStore(new StorageOptions { Root = scene.Root });
                using var flip = FlippedBit.In(Path.Combine(scene.Root, "artifacts", digest), random);
                var caught = await Assert.ThrowsAsync<ArtifactCorruptException>(() => artifacts.OpenAsync(digest, CancellationToken.None));
                Assert.Equal(flip.File, caught.File);
            }
        }

        output.WriteLine($"{count} flips each in checkpoints, an adapter and a dataset, all caught");
    }

    [Fact]
    [Trait(FaultSettings.Trait, "11")]
    public async Task A_job_with_a_damaged_checkpoint_goes_on_from_the_one_before_and_says_so()
    {
        var random = FaultSettings.Begin(output, "11");
        await scene.UndisturbedAsync(isFull: false);
        for (var round = 0; round < FaultSettings.Count(1, 20); round++)
        {
            var name = await scene.CreateAsync(TrainerScene.Spec());
            var id = name.Split('/')[1];
            using var doomed = scene.StartWorker(new FaultPlan { Point = "checkpoint.after-report", AtHit = random.Next(2, 6), Action = FaultAction.Kill });
            var watching = scene.WatchAsync(name);
            await doomed.ExitAsync();
            var newest = CheckpointReference.Parse((await scene.Store.GetAsync(id, TestContext.Current.CancellationToken))!.Checkpoint)!;
            var damaged = FlippedBit.In(Path.Combine(scene.Root, "jobs", id, newest.Path), random).File;
            using var worker = scene.StartWorker();
            var history = await watching;

            var notice = Assert.Single(history, entry => entry.Notice is not null).Notice;
            Assert.Equal(("CHECKPOINT_ROLLED_BACK", newest.Id, damaged), (notice.Reason, notice.Metadata["checkpoint"], notice.Metadata["file"]));
            await scene.CheckAsync(name, isFull: false, history);
        }
    }

    [Theory]
    [Trait(FaultSettings.Trait, "12")]
    [InlineData("checkpoint.before-write")]
    [InlineData("checkpoint.before-rename")]
    public async Task A_job_that_finds_the_disk_full_waits_with_its_checkpoints_intact_and_goes_on_when_there_is_space(string point)
    {
        FaultSettings.Begin(output, "12");
        await scene.UndisturbedAsync(isFull: false);
        using var folder = new TemporaryFolder();
        var isFullFile = folder["full"];
        await File.WriteAllTextAsync(isFullFile, "", TestContext.Current.CancellationToken);
        var name = await scene.CreateAsync(TrainerScene.Spec());
        // Nobody is to take it over: with a lease of seconds a machine that is busy with something else would.
        using var worker = scene.StartWorker(
            new FaultPlan { Point = point, AtHit = 3, Action = FaultAction.Full, WhileExists = isFullFile }, ("Jobs:Duration", "00:01:00"), ("Jobs:StallLimit", "00:01:00"));
        var history = await scene.WatchAsync(name, async entry =>
        {
            if (entry.Notice is { } notice)
            {
                Assert.Equal(("STORAGE_FULL", "9"), (notice.Reason, notice.Metadata["step"]));
                var record = await scene.Store.GetAsync(name.Split('/')[1], CancellationToken.None);
                scene.Services.GetRequiredService<CheckpointStore>().Open(record!.Id, CheckpointReference.Parse(record.Checkpoint)!);
                Assert.Equal(6, record.Step);
                File.Delete(isFullFile);
            }
        });

        Assert.Single(history, entry => entry.Notice is not null);
        Assert.Equal((1, 0), ((await scene.GetAsync(name)).Job.Attempt, (await scene.GetAsync(name)).Job.FailureCount));
        await scene.CheckAsync(name, isFull: false, history);
    }

    [Fact]
    [Trait(FaultSettings.Trait, "12")]
    public async Task A_job_that_waits_for_space_can_be_cancelled_and_resumed()
    {
        FaultSettings.Begin(output, "12");
        await scene.UndisturbedAsync(isFull: false);
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["full"], "", TestContext.Current.CancellationToken);
        var name = await scene.CreateAsync(TrainerScene.Spec());
        using var worker = scene.StartWorker(new FaultPlan { Point = "checkpoint.after-write", AtHit = 2, Action = FaultAction.Full, WhileExists = folder["full"] });
        await scene.ReachedAsync(name, entry => entry.Notice is not null);
        await scene.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: TestContext.Current.CancellationToken);
        await scene.WatchAsync(name);
        File.Delete(folder["full"]);
        await scene.Jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }, cancellationToken: TestContext.Current.CancellationToken);
        await scene.CheckAsync(name, isFull: false, await scene.WatchAsync(name));
    }
}
