using System.Globalization;

namespace InstructTune.Unit.Tests.Jobs.Simulation;

/// <summary>
/// The job protocol under message loss, late messages, crashes, frozen and hung workers, cancels and repeats. More steps or
/// another seed: INSTRUCTTUNE_SIMULATION_STEPS and INSTRUCTTUNE_FAULT_SEED.
/// </summary>
public sealed class JobSimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 5;
    private const long StepsToFindADefect = 4_000_000;

    private static readonly long Steps = FromEnvironment("INSTRUCTTUNE_SIMULATION_STEPS", 1_000_000);
    private static readonly int Seed = (int)FromEnvironment("INSTRUCTTUNE_FAULT_SEED", 1);

    [Fact]
    public void Nothing_that_must_not_happen_happens_in_a_million_steps()
    {
        for (var seed = Seed; seed < Seed + Seeds; seed++)
        {
            var run = Run(seed, Steps / Seeds);
            // A quiet world passes everything.
            Assert.True(run.Witness.Published > run.Created / 2, "Little was published.");
            Assert.True(run.Witness is { Losses: > 20, Refused: > 5, Cancelled: > 5, Exhausted: > 2 }, $"Too quiet: {Describe(run)}");
        }
    }

    [Fact]
    public void Same_seed_gives_the_same_run() => Assert.Equal(Describe(new JobSimulation(7).Run(50_000)), Describe(new JobSimulation(7).Run(50_000)));

    [Theory]
    [InlineData(nameof(Defect.AttemptNotCompared), "wrote")]
    [InlineData(nameof(Defect.LeaseNotExtended), "still believes")]
    [InlineData(nameof(Defect.SequenceNotIncremented), "the event after")]
    [InlineData(nameof(Defect.PublishedAfterCancel), "after a cancel was acknowledged")]
    [InlineData(nameof(Defect.RepeatedReportWritten), "written twice")]
    [InlineData(nameof(Defect.LeaseCountedFromAnswer), "still believes")]
    [InlineData(nameof(Defect.LossNotCounted), "tried for ever")]
    [InlineData(nameof(Defect.CompletionNotFenced), "wrote")]
    [InlineData(nameof(Defect.LeaseOnLocalClock), "still believes")]
    [InlineData(nameof(Defect.ReapedWithoutAttempt), "still believes")]
    [InlineData(nameof(Defect.PublishedBeforeReport), "before its last step was reported")]
    [InlineData(nameof(Defect.ResumedFromUnreported), "no report named")]
    public void Planted_defect_is_found(string defect, string problem)
    {
        var broken = Assert.Throws<InvariantBrokenException>(() => FindIn(Enum.Parse<Defect>(defect)));
        output.WriteLine(broken.Message);
        Assert.Contains(problem, broken.Message, StringComparison.Ordinal);
    }

    private static void FindIn(Defect defect)
    {
        for (var seed = Seed; seed < Seed + Seeds; seed++)
        {
            new JobSimulation(seed, defect).Run(StepsToFindADefect);
        }
    }

    private JobSimulation Run(int seed, long steps)
    {
        try
        {
            var run = new JobSimulation(seed).Run(steps);
            output.WriteLine(Describe(run));
            return run;
        }
        catch (InvariantBrokenException broken)
        {
            throw new InvariantBrokenException($"seed={seed}, replay: eng/run simulation {steps} {seed}: {broken.Message}");
        }
    }

    private static string Describe(JobSimulation run) => string.Create(
        CultureInfo.InvariantCulture,
        $"{run.Elapsed} simulated: created {run.Created}, published {run.Witness.Published}, cancelled {run.Witness.Cancelled}, exhausted {run.Witness.Exhausted}, lost {run.Witness.Losses}, refused {run.Witness.Refused}");

    private static long FromEnvironment(string name, long otherwise) =>
        long.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
