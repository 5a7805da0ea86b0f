using InstructTune.Testing;
using InstructTune.V1;
using Verdict = InstructTune.V1.CompareEvaluationRunsResponse.Types.Verdict;

namespace InstructTune.Integration.Tests.Evaluation;

public sealed class ComparisonTests(EvaluationHost host) : IClassFixture<EvaluationHost>
{
    [Fact]
    [Covers("EvaluationService/CompareEvaluationRuns", "OK")]
    public async Task Arms_are_paired_with_the_baseline_example_by_example()
    {
        var suite = await host.CreateSuiteAsync("paired", examples: 60);
        host.Inference.Answer = (model, instruction, _) => Task.FromResult(
            model.Contains("bad", StringComparison.Ordinal) && int.Parse(instruction.Split(' ')[1]) % 3 == 0 ? "wrong" : instruction);
        var (bad, good, same) = (
            await host.RunAsync(suite.Name, "models/bad/versions/1"), await host.RunAsync(suite.Name), await host.RunAsync(suite.Name, "models/bad/versions/2"));

        var comparisons = (await CompareAsync(bad, good, same)).Comparisons;
        Assert.Equal(
            [(1, "em/tk-instruct"), (1, "f1/squad-1.1"), (2, "em/tk-instruct"), (2, "f1/squad-1.1")],
            comparisons.Select(comparison => (comparison.ArmIndex, comparison.Metric)));
        var better = comparisons[0];
        Assert.Equal((20, 0, 40, Verdict.Better), (better.Wins, better.Losses, better.Ties, better.Verdict));
        Assert.Equal(1 / 3.0, better.Difference, 1e-12);
        Assert.Equal(2 * Math.Pow(0.5, 20), better.PValue, 1e-15);
        Assert.True(better.AdjustedPValue >= better.PValue);
        Assert.Equal(["SEED_VARIANCE_NOT_MEASURED"], better.Flags);
        var undecided = comparisons[2];
        Assert.Equal((0, 60, Verdict.Undecided), (undecided.Difference, undecided.Ties, undecided.Verdict));
        Assert.Equal(["SEED_VARIANCE_NOT_MEASURED", "FEW_DISAGREEMENTS"], undecided.Flags);
    }

    [Fact]
    public async Task A_wide_margin_turns_agreement_into_equivalence()
    {
        var suite = await host.CreateSuiteAsync("equal", examples: 60);
        host.Inference.Answer = (_, instruction, _) => Task.FromResult(instruction);
        var (one, two) = (await host.RunAsync(suite.Name), await host.RunAsync(suite.Name));
        var request = Request(one, two);
        request.EquivalenceMargin = 0.1;
        var response = await host.Client.CompareEvaluationRunsAsync(request, EvaluationHost.Call);
        Assert.All(response.Comparisons, comparison => Assert.Equal(Verdict.Equivalent, comparison.Verdict));
    }

    [Fact]
    [Covers("EvaluationService/CompareEvaluationRuns", "RUNS_NOT_COMPARABLE")]
    public async Task Runs_that_cannot_be_paired_are_refused()
    {
        var (suite, other) = (
            await host.CreateSuiteAsync("this", examples: 20, change: task => task.MaxExamples = 5), await host.CreateSuiteAsync("that"));
        host.Inference.Answer = (_, instruction, _) => Task.FromResult(instruction);
        var baseline = await host.RunAsync(suite.Name);
        await AssertRefusedAsync("suite", baseline, await host.RunAsync(other.Name));
        await AssertRefusedAsync("prompt format", baseline, await host.RunAsync(suite.Name, "models/other-format/versions/1"));
        await AssertRefusedAsync("examples", baseline, await host.RunAsync(suite.Name, seed: 9));

        host.Datasets.Add("that", []);
        await AssertRefusedAsync("state", baseline, await host.RunAsync(other.Name));
    }

    [Fact]
    public async Task One_arm_and_a_margin_beyond_the_scores_are_invalid()
    {
        var request = new CompareEvaluationRunsRequest { Arms = { new CompareEvaluationRunsRequest.Types.Arm { Runs = { "x" } } }, EquivalenceMargin = 2 };
        var error = await EvaluationHost.AssertFailsAsync(
            ErrorReason.FieldInvalid, async () => await host.Client.CompareEvaluationRunsAsync(request, EvaluationHost.Call));
        Assert.Equal(["arms", "equivalence_margin", "arms[0].runs[0]"], error.Violations.Select(violation => violation.Field));
    }

    private async Task AssertRefusedAsync(string difference, EvaluationRun baseline, EvaluationRun run)
    {
        var error = await EvaluationHost.AssertFailsAsync(ErrorReason.RunsNotComparable, () => CompareAsync(baseline, run));
        Assert.Equal(difference, error.Metadata["difference"]);
        Assert.Equal(run.Name, error.Metadata["run"]);
    }

    private async Task<CompareEvaluationRunsResponse> CompareAsync(params EvaluationRun[] runs) =>
        await host.Client.CompareEvaluationRunsAsync(Request(runs), EvaluationHost.Call);

    private static CompareEvaluationRunsRequest Request(params EvaluationRun[] runs)
    {
        var request = new CompareEvaluationRunsRequest();
        request.Arms.Add(runs.Select(run => new CompareEvaluationRunsRequest.Types.Arm { Runs = { run.Name } }));
        return request;
    }
}
