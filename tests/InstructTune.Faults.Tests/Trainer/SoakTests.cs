using System.Globalization;
using InstructTune.Faults.Tests.Hooks;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>Many jobs, one worker: what one job leaves behind, a hundred make visible.</summary>
[Collection(TrainerCollection.Name)]
public sealed class SoakTests(TrainerScene scene, ITestOutputHelper output)
{
    private const double LargestGrowth = 0.05;

    [Fact]
    [Trait(FaultSettings.Trait, "soak")]
    public async Task Memory_and_tensors_are_after_many_jobs_what_they_were_after_ten()
    {
        FaultSettings.Begin(output, "soak");
        using var folder = new TemporaryFolder();
        var counts = folder["tensors"];
        using var worker = scene.StartWorker(new FaultPlan { Point = "training.job-ended", AtHit = 1, Action = FaultAction.CountTensors, WhileExists = counts });
        var afterTen = 0L;
        var jobs = FaultSettings.Count(14, 100);
        for (var number = 1; number <= jobs; number++)
        {
            await RunAsync(number);
            if (number == 10)
            {
                afterTen = worker.ResidentBytes;
            }
        }

        var growth = ((double)worker.ResidentBytes / afterTen) - 1;
        var tensors = (await File.ReadAllLinesAsync(counts, TestContext.Current.CancellationToken)).Select(line => long.Parse(line, CultureInfo.InvariantCulture)).ToArray();
        output.WriteLine($"{jobs} jobs: {afterTen >> 20} MiB after 10, {growth:P1} more at the end; {tensors[9]} live tensors after 10, {tensors[^1]} at the end");
        Assert.Equal(jobs, tensors.Length);
        Assert.Equal(tensors[9], tensors[^1]);
        Assert.True(growth <= LargestGrowth, $"{growth:P1} more memory after {jobs} jobs than after 10");
    }

    // Adapters, whole models, merges and stacks by turns; each job another, and small.
    private async Task RunAsync(int number)
    {
        var spec = TrainerScene.Spec(isFull: number % 4 == 0);
        spec.Seed = (ulong)number;
        foreach (var stage in spec.Stages)
        {
            (stage.MaxSteps, stage.MaxExamples) = (3, 16);
        }

        if (number % 4 > 1)
        {
            spec.Stages[1].Transition = number % 4 == 2 ? FineTuneSpec.Types.StageTransition.MergeThenNew : FineTuneSpec.Types.StageTransition.Stack;
        }

        var name = await scene.CreateAsync(spec);
        await scene.WatchAsync(name);
        var job = await scene.GetAsync(name);
        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
    }
}
