using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>Memory that runs out, and prompts that begin alike.</summary>
public sealed class LaneTests
{
    private static readonly PrefixScope _scope = new(new string('a', 64), null, "ann", "") { Format = 1 };

    private readonly PrefixKeys _keys = new([1]);
    private readonly SlotPool _slots = new(64 * 8, 1, 512, 8);

    [Fact]
    public void When_memory_runs_out_the_newest_is_thrown_out_and_computed_again()
    {
        var scheduler = New(prefixBytes: 0);
        var old = Add(scheduler, 128, 140);
        var newer = Add(scheduler, 128, 140);

        RunUntil(scheduler, () => newer.Preemptions == 1);
        var (oldOutputs, newerOutputs) = (old.Outputs, newer.Outputs);
        Assert.True(newerOutputs > 0);
        RunUntil(scheduler, () => old.Ended && newer.Ended);

        Assert.True(oldOutputs >= newerOutputs);
        Assert.Equal((140, 140), (old.Outputs, newer.Outputs));
        Assert.Equal(0, old.Preemptions);
        Assert.True(scheduler.Figures.RepeatedRows >= 128);
        Assert.Equal(0, _slots.RentedBlocks);
    }

    [Fact]
    public void Less_urgent_requests_are_thrown_out_first()
    {
        var scheduler = New(prefixBytes: 0);
        var batch = Add(scheduler, 128, 140, urgency: Urgency.Batch);
        scheduler.Next(0);
        var standard = Add(scheduler, 128, 140);

        RunUntil(scheduler, () => batch.Preemptions + standard.Preemptions > 0);

        Assert.Equal((1, 0), (batch.Preemptions, standard.Preemptions));
    }

    [Fact]
    public void Nobody_is_thrown_out_more_than_twice_and_everybody_ends()
    {
        var scheduler = New(prefixBytes: 0);
        var all = Enumerable.Range(0, 6).Select(_ => Add(scheduler, 70, 200)).ToArray();

        RunUntil(scheduler, () => all.All(sequence => sequence.Ended));

        Assert.All(all, sequence => Assert.InRange(sequence.Preemptions, 0, 2));
        Assert.All(all, sequence => Assert.Equal(200, sequence.Outputs));
        Assert.True(scheduler.Figures.Preemptions > 0);
    }

    [Fact]
    public void Prompts_that_begin_alike_and_come_together_are_computed_once()
    {
        var scheduler = New(prefixBytes: 64 * 3);
        int[] ids = [.. Enumerable.Range(0, 150)];
        var sequences = Enumerable.Range(0, 3).Select(_ => Add(scheduler, 150, 2, ids)).ToArray();

        RunUntil(scheduler, () => sequences.All(sequence => sequence.Ended));

        Assert.Equal([0, 128, 128], sequences.Select(sequence => sequence.CachedTokens));
        Assert.Equal((256, 450), (scheduler.Figures.PrefixHits, scheduler.Figures.PrefixQueries));
    }

    [Fact]
    public void Who_waited_for_a_prompt_that_was_cancelled_computes_it_itself()
    {
        var scheduler = New(prefixBytes: 64 * 3);
        int[] ids = [.. Enumerable.Range(0, 150)];
        var leader = Add(scheduler, 150, 2, ids);
        var follower = Add(scheduler, 150, 2, ids);
        scheduler.Next(0);
        Assert.Null(follower.Slot);

        leader.Cancel();
        scheduler.RemoveOver();
        RunUntil(scheduler, () => follower.Ended);

        Assert.Equal(0, follower.CachedTokens);
    }

    [Fact]
    public void A_failed_sequence_leaves_its_slot_zeroed()
    {
        var scheduler = New(prefixBytes: 0);
        var failing = Add(scheduler, 100, 5);
        scheduler.Next(0);
        var slot = failing.Slot!;

        scheduler.Remove(failing, failed: true);
        Add(scheduler, 10, 1);

        Assert.Equal([CacheEdit.Clear(slot)], scheduler.Next(0)!.Edits);
    }

    private Scheduler New(long prefixBytes)
    {
        var scheduler = new Scheduler(new SchedulerLimits(300, 8) { ReservedOutputTokens = 1, PrefixBytes = prefixBytes });
        scheduler.AddBase("a", _slots);
        return scheduler;
    }

    private SimulatedSequence Add(Scheduler scheduler, int prompt, int output, int[]? ids = null, Urgency urgency = Urgency.Standard)
    {
        var sequence = new SimulatedSequence("a", 0, prompt, output, standing: new Standing("ann", urgency), promptIds: ids)
        {
            Prefix = ids is null ? null : _keys.ChainOf(ids, _scope, reads: true),
        };
        Assert.True(scheduler.TryAdd(sequence));
        return sequence;
    }

    private static void RunUntil(Scheduler scheduler, Func<bool> isDone)
    {
        for (var step = 0; step < 5000 && !isDone(); step++)
        {
            foreach (var chunk in scheduler.Next(step)?.Chunks ?? [])
            {
                chunk.Sequence.Accept(chunk.To, ChunkOutput.Nothing, step);
                scheduler.Settle(chunk);
                if (chunk.Sequence.Ended)
                {
                    scheduler.Remove(chunk.Sequence);
                }
            }
        }
        Assert.True(isDone());
    }
}
