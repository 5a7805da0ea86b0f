using InstructTune.Jobs;
using InstructTune.Trainer.Checkpoints;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>What must hold of checkpoints, always: C1 and C2 of docs/reliability.md. C3 is the comparison of digests.</summary>
internal static class CheckpointInvariants
{
    public static void Check(IServiceProvider services, JobRecord job, IReadOnlyList<JobEvent> events)
    {
        EveryVisibleOneVerifies(services.GetRequiredService<CheckpointStore>(), job);
        NoAttemptStartsBeforeTheNewest(events);
    }

    // C1. What no record names may be torn: nobody reads it.
    private static void EveryVisibleOneVerifies(CheckpointStore store, JobRecord job)
    {
        var visible = store.Chain(job.Id, CheckpointReference.Parse(job.Checkpoint)).ToArray();
        Assert.NotEmpty(visible);
        foreach (var (reference, _) in visible)
        {
            store.Open(job.Id, reference);
        }
    }

    // C2: the first step of an attempt follows the newest accepted checkpoint, unless the job says that it went back.
    private static void NoAttemptStartsBeforeTheNewest(IReadOnlyList<JobEvent> events)
    {
        var newest = 0L;
        var attempt = 0;
        foreach (var entry in events)
        {
            if (entry.Notice?.Reason == "CHECKPOINT_ROLLED_BACK")
            {
                newest = long.Parse(entry.Notice.Metadata["step"], System.Globalization.CultureInfo.InvariantCulture);
            }

            if (entry.CheckpointSaved is { } saved)
            {
                newest = saved.Step;
            }

            if (entry.MetricsReported is { } metrics && entry.Attempt != attempt)
            {
                Assert.Equal(newest + 1, metrics.Step);
                attempt = entry.Attempt;
            }
        }
    }
}
