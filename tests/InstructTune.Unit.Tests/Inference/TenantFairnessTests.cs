using CsCheck;
using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

public sealed class TenantFairnessTests
{
    private const int MaxRunning = 4;

    [Fact]
    public void Tenants_that_always_wait_are_served_alike_within_the_bound() =>
        Gen.Select(Gen.Int[1, 1000], Gen.Int[1, 60], Gen.Int[1, 60]).Sample(
            (seed, annTokens, bobTokens) =>
            {
                var scheduler = New();
                var random = new Random(seed);
                // 2 x max(prompt price x longest prompt, output price x tokens in a full batch); prompts up to 60, all outputs of a batch up to 4 x 20.
                var bound = 2 * Math.Max(TenantLedger.PromptPrice * 60, TenantLedger.OutputPrice * MaxRunning * 20);
                var waiting = new Dictionary<string, int>(StringComparer.Ordinal) { ["ann"] = 0, ["bob"] = 0 };
                for (var step = 0; step < 300; step++)
                {
                    KeepWaiting(scheduler, waiting, "ann", annTokens, random);
                    KeepWaiting(scheduler, waiting, "bob", bobTokens, random);
                    Run(scheduler, waiting);
                    Assert.True(Math.Abs(scheduler.Ledger.ServedOf("ann") - scheduler.Ledger.ServedOf("bob")) <= bound);
                }
            },
            iter: 40);

    [Fact]
    public void A_weight_of_three_gets_three_times_as_much()
    {
        var scheduler = New(new Dictionary<string, double>(StringComparer.Ordinal) { ["ann"] = 3 });
        var waiting = new Dictionary<string, int>(StringComparer.Ordinal) { ["ann"] = 0, ["bob"] = 0 };
        var started = new Dictionary<string, int>(StringComparer.Ordinal) { ["ann"] = 0, ["bob"] = 0 };
        for (var step = 0; step < 2000; step++)
        {
            KeepWaiting(scheduler, waiting, "ann", 20, new Random(step));
            KeepWaiting(scheduler, waiting, "bob", 20, new Random(step));
            Run(scheduler, waiting, started);
        }

        Assert.InRange(started["ann"] / (double)started["bob"], 2.7, 3.3);
    }

    [Fact]
    public void Idle_time_is_not_saved_up()
    {
        var ledger = new TenantLedger(new Dictionary<string, double>(StringComparer.Ordinal));
        ledger.Enter("ann");
        ledger.Charge("ann", 1000);

        ledger.Enter("bob");

        Assert.Equal(1000, ledger.ServedOf("bob"));
    }

    [Fact]
    public void Tenants_that_are_gone_are_forgotten_in_the_end()
    {
        var ledger = new TenantLedger(new Dictionary<string, double>(StringComparer.Ordinal));
        for (var i = 0; i < 10_000; i++)
        {
            ledger.Enter($"tenant-{i}");
            ledger.Leave($"tenant-{i}");
        }

        Assert.InRange(ledger.Count, 1, 1025);
    }

    [Fact]
    public void Urgency_orders_the_requests_of_a_tenant_and_passes_no_other_tenant()
    {
        var scheduler = New();
        // Ann was served more: her urgent request waits for Bob's, which is not urgent.
        scheduler.Ledger.Enter("bob");
        scheduler.Ledger.Enter("ann");
        scheduler.Ledger.Charge("ann", 100);
        Add(scheduler, "ann", Urgency.Standard);
        Add(scheduler, "ann", Urgency.Interactive);
        Add(scheduler, "cy", Urgency.Batch);
        Add(scheduler, "bob", Urgency.Standard);

        var order = Starts(scheduler, 0);

        Assert.Equal(["bob Standard", "ann Interactive", "ann Standard", "cy Batch"], order);
    }

    [Fact]
    public void Who_has_waited_long_is_one_step_more_urgent()
    {
        var scheduler = New();
        Add(scheduler, "ann", Urgency.Batch);
        Add(scheduler, "ann", Urgency.Standard, arrived: 90);
        Add(scheduler, "ann", Urgency.Interactive, arrived: 90);

        Assert.Equal(["ann Interactive", "ann Batch", "ann Standard"], Starts(scheduler, now: 100));
    }

    private static Scheduler New(IReadOnlyDictionary<string, double>? weights = null)
    {
        var scheduler = new Scheduler(new SchedulerLimits(200, MaxRunning)
        {
            AgingTicks = 100, TenantWeights = weights ?? new Dictionary<string, double>(StringComparer.Ordinal),
        });
        scheduler.AddBase("a", new SlotPool(1 << 20, 10, 512, 16));
        return scheduler;
    }

    private static void KeepWaiting(Scheduler scheduler, Dictionary<string, int> waiting, string tenant, int promptTokens, Random random)
    {
        while (waiting[tenant] < 6)
        {
            waiting[tenant]++;
            scheduler.TryAdd(new SimulatedSequence("a", 0, promptTokens, random.Next(1, 20), standing: new Standing(tenant, Urgency.Standard)));
        }
    }

    private static void Run(Scheduler scheduler, Dictionary<string, int> waiting, Dictionary<string, int>? started = null)
    {
        var plan = scheduler.Next(0)!;
        foreach (var chunk in plan.Chunks)
        {
            var tenant = chunk.Sequence.Life.Standing.Tenant;
            if (chunk.From == 0)
            {
                waiting[tenant]--;
                _ = started is null ? 0 : started[tenant]++;
            }
            chunk.Sequence.Accept(chunk.To, ChunkOutput.Nothing, 0);
            scheduler.Settle(chunk);
            if (chunk.Sequence.Ended)
            {
                scheduler.Remove(chunk.Sequence);
            }
        }
    }

    private static void Add(Scheduler scheduler, string tenant, Urgency urgency, long arrived = 0) =>
        Assert.True(scheduler.TryAdd(new SimulatedSequence("a", arrived, 5, 5, standing: new Standing(tenant, urgency))));

    private static string[] Starts(Scheduler scheduler, long now) =>
        [.. scheduler.Next(now)!.Chunks.Select(chunk => $"{chunk.Sequence.Life.Standing.Tenant} {chunk.Sequence.Life.Standing.Urgency}")];
}
