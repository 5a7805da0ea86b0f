using System.Globalization;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>The long form is <c>eng/run serving-simulation</c>.</summary>
public sealed class SchedulerSimulationTests
{
    private const int StepsPerSeed = 10_000;

    private static readonly int _firstSeed = Setting("INSTRUCTTUNE_SIMULATION_SEED", 1);

    [Fact]
    public void A_simulated_load_never_leaks_a_slot_or_breaks_a_rule()
    {
        var wanted = Setting("INSTRUCTTUNE_SIMULATED_STEPS", 40_000);
        long total = 0, preemptions = 0, hits = 0, repeated = 0;
        for (var seed = _firstSeed; total < wanted; seed++)
        {
            var simulation = new SchedulerSimulation(seed);
            simulation.Run(Math.Min(StepsPerSeed, wanted));
            total += simulation.Steps;
            preemptions += simulation.Figures.Preemptions;
            hits += simulation.Figures.PrefixHits;
            repeated += simulation.Figures.RepeatedRows;
        }

        TestContext.Current.SendDiagnosticMessage(
            "{0} steps, {1} preemptions, {2} rows repeated, {3} prompt tokens from the prefix cache; no slot leaked.", total, preemptions, repeated, hits);
        // A load that never runs out of memory, or never repeats a prompt, would prove little.
        Assert.True(preemptions * 1000 > total, $"{preemptions} preemptions in {total} steps.");
        Assert.True(hits * 10 > total, $"{hits} tokens from the cache in {total} steps.");
    }

    [Theory]
    [InlineData(nameof(SimulatedDefect.AFailedSequenceKeepsItsSlot))]
    [InlineData(nameof(SimulatedDefect.ACancelledSequenceStays))]
    [InlineData(nameof(SimulatedDefect.ACopyIsForgotten))]
    [InlineData(nameof(SimulatedDefect.CopiesAreMadeInAnotherOrder))]
    [InlineData(nameof(SimulatedDefect.KeysLeaveOutTheAdapter))]
    [InlineData(nameof(SimulatedDefect.AStepRunsBeforeItsCopies))]
    public void A_planted_defect_is_found(string defect)
    {
        var kind = Enum.Parse<SimulatedDefect>(defect);
        var found = Enumerable.Range(_firstSeed, 8).Any(seed => Finds(new SchedulerSimulation(seed, kind)));

        Assert.True(found, $"8 simulations with the defect {defect} found nothing.");
    }

    private static bool Finds(SchedulerSimulation simulation)
    {
        try
        {
            simulation.Run(3000);
            return false;
        }
        catch (SimulationFailedException)
        {
            return true;
        }
        catch (InvalidOperationException)
        {
            // Slots and lanes notice some misuse themselves.
            return true;
        }
    }

    private static int Setting(string name, int standard) =>
        int.Parse(Environment.GetEnvironmentVariable(name) ?? standard.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
