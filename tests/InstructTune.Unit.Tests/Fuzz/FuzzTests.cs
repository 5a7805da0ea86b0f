using InstructTune.Fuzz;

namespace InstructTune.Unit.Tests.Fuzz;

/// <summary>The short form of <c>eng/run fuzz</c>: every target, some thousands of inputs.</summary>
public sealed class FuzzTests
{
    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Mutated_files_are_read_or_refused_quickly_and_within_bounds(string name)
    {
        var report = new FuzzRunner(FuzzTargets.Find(name)!).Run(count: 3_000, seed: 20_251);
        Assert.Empty(report.Failures.Select(f => $"input {f.Number}: {f.Problem}"));
        Assert.True(report.Accepted > 0 && report.Refused > 0, $"{report.Accepted} accepted, {report.Refused} refused: the mutations try one side only.");
    }

    [Fact]
    public void A_parser_that_crashes_hangs_or_hoards_is_found_out()
    {
        var report = new FuzzRunner(new BrokenParser()).Run(count: 2_000, seed: 1);
        Assert.Contains(report.Failures, f => f.Problem.Contains(nameof(IndexOutOfRangeException), StringComparison.Ordinal));
        Assert.Contains(report.Failures, f => f.Problem.StartsWith("allocated", StringComparison.Ordinal));
    }

    [Fact]
    public void Equal_seeds_make_equal_inputs()
    {
        byte[][] seeds = [[1, 2, 3, 4, 5, 6, 7, 8], [9, 9]];
        var (first, second) = (new Mutator(seeds, [], 5), new Mutator(seeds, [], 5));
        Assert.All(Enumerable.Range(0, 200), n => Assert.Equal(first.Make(n), second.Make(n)));
        Assert.NotEqual(first.Make(3), new Mutator(seeds, [], 6).Make(3));
    }

    private sealed class BrokenParser : FuzzTarget
    {
        public override string Name => "broken";

        public override IReadOnlyList<byte[]> Seeds() => [[1, 2, 3, 4]];

        public override long AllocationLimitBytes(int inputSizeBytes) => 4096;

        public override void Run(byte[] input)
        {
            if (input.Length > 4)
            {
                GC.KeepAlive(new byte[100_000]);
            }

            GC.KeepAlive((object)input[3]);
        }

        public override bool IsRefusal(Exception exception) => false;
    }
}
