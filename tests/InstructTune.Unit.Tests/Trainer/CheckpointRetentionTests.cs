using CsCheck;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class CheckpointRetentionTests
{
    [Fact]
    public void The_last_of_each_stage_and_the_best_of_each_stage_outlive_the_newest()
    {
        KeptCheckpoint[] newestFirst =
        [
            new("e", "second", false, 2.5), new("d", "second", false, 2.0), new("c", "second", false, 2.0),
            new("b", "first", true, null), new("a", "first", false, null),
        ];
        Assert.Equal(["e", "c", "b"], CheckpointRetention.Kept(newestFirst, keepLast: 1).Select(kept => kept.Reference));
    }

    [Fact]
    public void What_was_let_go_never_mattered_to_what_is_kept_later() => Gen.Int[0, 3].Select(Gen.Bool, Gen.Int[0, 4]).Array[1, 12].Sample(steps =>
    {
        // Retention after each checkpoint, and once at the end over all of them, keep the same.
        var all = steps.Select((step, i) => new KeptCheckpoint($"{i}", $"stage-{step.Item1}", step.Item2, step.Item3 == 0 ? null : step.Item3)).ToArray();
        IReadOnlyList<KeptCheckpoint> kept = [];
        foreach (var checkpoint in all)
        {
            kept = CheckpointRetention.Kept([checkpoint, .. kept], keepLast: 2);
        }

        Assert.Equal(CheckpointRetention.Kept([.. all.Reverse()], keepLast: 2), kept);
    });
}
