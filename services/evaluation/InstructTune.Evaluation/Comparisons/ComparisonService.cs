using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.Jobs;

namespace InstructTune.Evaluation.Comparisons;

/// <summary>Reads runs and compares them.</summary>
internal sealed class ComparisonService(RunCatalog runs, SuiteCatalog suites, ResultStore results)
{
    /// <param name="arms">Run IDs by arm and seed, the baseline first.</param>
    public async Task<IReadOnlyList<ArmComparison>> CompareAsync(
        IReadOnlyList<IReadOnlyList<string>> arms, double margin, CancellationToken ct)
    {
        var read = new Dictionary<string, FinishedRun>(StringComparer.Ordinal);
        foreach (var id in arms.SelectMany(arm => arm))
        {
            // An untrained baseline is one run, whatever the number of seeds of the others.
            if (!read.ContainsKey(id))
            {
                read.Add(id, await ReadAsync(id, ct));
            }
        }
        var finished = arms.Select(arm => arm.Select(id => read[id]).ToList()).ToList();
        return RunComparison.Compare(suites.Get(finished[0][0].SuiteId).Content, finished, margin);
    }

    private async Task<FinishedRun> ReadAsync(string id, CancellationToken ct)
    {
        var run = await runs.GetAsync(id, ct);
        if (run.State != JobState.Succeeded)
        {
            throw new RunsNotComparableException(RunSpec.NameOf(id), run.State.ToString().ToUpperInvariant());
        }
        var spec = RunSpec.Parse(run.Spec);
        return new FinishedRun(RunSpec.NameOf(id), spec.SuiteId, spec.PromptFormatSha256, results.Read(id));
    }
}
