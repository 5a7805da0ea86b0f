using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.Jobs;

namespace InstructTune.Evaluation.Comparisons;

/// <summary>Reads runs and compares them.</summary>
internal sealed class ComparisonService(RunCatalog runs, SuiteCatalog suites, ResultStore results)
{
    public async Task<IReadOnlyList<ArmComparison>> CompareAsync(IReadOnlyList<string> runIds, double margin, CancellationToken ct)
    {
        var arms = new List<Arm>();
        foreach (var id in runIds)
        {
            var run = await runs.GetAsync(id, ct);
            if (run.State != JobState.Succeeded)
            {
                throw new RunsNotComparableException(RunSpec.NameOf(id), run.State.ToString().ToUpperInvariant());
            }
            var spec = RunSpec.Parse(run.Spec);
            arms.Add(new Arm(RunSpec.NameOf(id), spec.SuiteId, spec.PromptFormatSha256, results.Read(id)));
        }
        return RunComparison.Compare(suites.Get(arms[0].SuiteId).Content, arms, margin);
    }
}
