using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Suites;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Evaluation.Comparisons;

/// <summary>A finished run, as an arm of a comparison.</summary>
internal sealed record Arm(string RunName, string SuiteId, string PromptFormatSha256, IReadOnlyList<Answer> Answers);

/// <summary>One arm against the baseline on one task and metric.</summary>
internal sealed record ArmComparison(
    int ArmIndex, string TaskId, string Metric, PairedComparison Paired, double AdjustedP, Judgement Judgement)
{
    public IReadOnlyList<string> Flags =>
    [
        .. Judgement.BelowMargin ? ["BELOW_MARGIN"] : (string[])[],
        // One run is one seed: nothing is known of how another training would have come out.
        "SEED_VARIANCE_NOT_MEASURED",
        .. Paired.HasFewDisagreements ? ["FEW_DISAGREEMENTS"] : (string[])[],
    ];
}

/// <summary>Pairs arms with the baseline, example by example.</summary>
internal static class RunComparison
{
    // The random sign flips of large comparisons: fixed, so that the same runs always compare alike.
    private const ulong SignFlipSeed = 20231015;

    /// <exception cref="RunsNotComparableException">The arms do not answer the same questions in the same form.</exception>
    public static IReadOnlyList<ArmComparison> Compare(Suite suite, IReadOnlyList<Arm> arms, double margin)
    {
        foreach (var arm in arms.Skip(1))
        {
            RequireSame(arms[0], arm, "suite", arms[0].SuiteId, arm.SuiteId);
            RequireSame(arms[0], arm, "prompt format", arms[0].PromptFormatSha256, arm.PromptFormatSha256);
        }
        var tables = arms.Select(arm => arm.Answers.ToDictionary(answer => (answer.TaskId, answer.ExampleIndex))).ToList();
        foreach (var (table, arm) in tables.Zip(arms))
        {
            if (!table.Keys.ToHashSet().SetEquals(tables[0].Keys))
            {
                throw new RunsNotComparableException(arms[0].RunName, arm.RunName, "examples");
            }
        }
        var paired = (
            from index in Enumerable.Range(1, arms.Count - 1)
            from task in suite.Tasks
            from metric in task.Metrics
            select (Index: index, task.TaskId, Metric: metric, Paired: Pair(tables[0], tables[index], task.TaskId, metric))).ToList();
        var adjusted = BenjaminiHochberg.Adjust([.. paired.Select(pair => pair.Paired.PValue)]);
        return [.. paired.Zip(adjusted, (pair, adjustedP) => new ArmComparison(
            pair.Index, pair.TaskId, pair.Metric, pair.Paired, adjustedP, Judgement.Of(pair.Paired, adjustedP, margin)))];
    }

    private static PairedComparison Pair(
        Dictionary<(string TaskId, long ExampleIndex), Answer> baseline,
        Dictionary<(string TaskId, long ExampleIndex), Answer> candidate,
        string taskId,
        string metric)
    {
        var keys = baseline.Keys.Where(key => key.TaskId == taskId).OrderBy(key => key.ExampleIndex).ToList();
        return PairedComparison.Of(
            [.. keys.Select(key => baseline[key].Scores[metric])], [.. keys.Select(key => candidate[key].Scores[metric])], SignFlipSeed);
    }

    private static void RequireSame(Arm baseline, Arm arm, string what, string expected, string actual)
    {
        if (expected != actual)
        {
            throw new RunsNotComparableException(baseline.RunName, arm.RunName, what);
        }
    }
}
