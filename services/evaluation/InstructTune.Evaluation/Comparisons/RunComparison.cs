using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Suites;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Evaluation.Comparisons;

/// <summary>A finished run. An arm of a comparison is one of these for each seed it was trained with.</summary>
internal sealed record FinishedRun(string RunName, string SuiteId, string PromptFormatSha256, IReadOnlyList<Answer> Answers);

/// <summary>One arm against the baseline on one task and metric.</summary>
internal sealed record ArmComparison(
    int ArmIndex, string TaskId, string Metric, int SeedCount, PairedComparison Paired, double AdjustedP, Judgement Judgement)
{
    public IReadOnlyList<string> Flags =>
    [
        .. Judgement.BelowMargin ? ["BELOW_MARGIN"] : (string[])[],
        // One run is one seed: nothing is known of how another training would have come out.
        .. SeedCount == 1 ? ["SEED_VARIANCE_NOT_MEASURED"] : (string[])[],
        .. Paired.HasFewDisagreements ? ["FEW_DISAGREEMENTS"] : (string[])[],
    ];
}

/// <summary>Pairs arms with the baseline, example by example and seed by seed.</summary>
internal static class RunComparison
{
    // The random sign flips of large comparisons: fixed, so that the same runs always compare alike.
    private const ulong SignFlipSeed = 20231015;

    /// <param name="suite">What all runs answered.</param>
    /// <param name="arms">The baseline first; all with as many runs, one for each seed.</param>
    /// <param name="margin">Differences below it count as equal.</param>
    /// <exception cref="RunsNotComparableException">The runs do not answer the same questions in the same form.</exception>
    public static IReadOnlyList<ArmComparison> Compare(Suite suite, IReadOnlyList<IReadOnlyList<FinishedRun>> arms, double margin)
    {
        var first = arms[0][0];
        foreach (var run in arms.SelectMany(arm => arm))
        {
            RequireSame(first, run, "suite", first.SuiteId, run.SuiteId);
            RequireSame(first, run, "prompt format", first.PromptFormatSha256, run.PromptFormatSha256);
        }
        var tables = arms.Select(arm => arm.Select(AnswerTable.Of).ToList()).ToList();
        foreach (var (table, run) in tables.Zip(arms).SelectMany(pair => pair.First.Zip(pair.Second)))
        {
            if (!table.HasSameQuestionsAs(tables[0][0]))
            {
                throw new RunsNotComparableException(first.RunName, run.RunName, "examples");
            }
        }
        var paired = (
            from index in Enumerable.Range(1, arms.Count - 1)
            from task in suite.Tasks
            from metric in task.Metrics
            select (Index: index, task.TaskId, Metric: metric, Paired: Pair(tables[0], tables[index], task.TaskId, metric))).ToList();
        var adjusted = BenjaminiHochberg.Adjust([.. paired.Select(pair => pair.Paired.PValue)]);
        return [.. paired.Zip(adjusted, (pair, adjustedP) => new ArmComparison(
            pair.Index, pair.TaskId, pair.Metric, arms[0].Count, pair.Paired, adjustedP, Judgement.Of(pair.Paired, adjustedP, margin)))];
    }

    private static PairedComparison Pair(
        IReadOnlyList<AnswerTable> baseline, IReadOnlyList<AnswerTable> candidate, string taskId, string metric) => PairedComparison.OfSeeds(
        [.. baseline.Select(run => run.Scores(taskId, metric))], [.. candidate.Select(run => run.Scores(taskId, metric))], SignFlipSeed);

    private static void RequireSame(FinishedRun baseline, FinishedRun run, string what, string expected, string actual)
    {
        if (expected != actual)
        {
            throw new RunsNotComparableException(baseline.RunName, run.RunName, what);
        }
    }

    private sealed class AnswerTable(Dictionary<(string TaskId, long ExampleIndex), Answer> answers)
    {
        public static AnswerTable Of(FinishedRun run) => new(run.Answers.ToDictionary(answer => (answer.TaskId, answer.ExampleIndex)));

        public bool HasSameQuestionsAs(AnswerTable other) => answers.Count == other.Count && answers.Keys.All(other.Has);

        /// <summary>In order of the examples.</summary>
        public IReadOnlyList<double> Scores(string taskId, string metric) =>
        [
            .. answers.Where(answer => answer.Key.TaskId == taskId).OrderBy(answer => answer.Key.ExampleIndex)
                .Select(answer => answer.Value.Scores[metric]),
        ];

        private int Count => answers.Count;

        private bool Has((string TaskId, long ExampleIndex) question) => answers.ContainsKey(question);
    }
}
