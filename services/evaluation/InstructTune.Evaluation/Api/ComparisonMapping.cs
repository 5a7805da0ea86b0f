using InstructTune.Evaluation.Comparisons;
using InstructTune.Evaluation.Runs;
using InstructTune.Hosting;
using InstructTune.V1;
using Verdict = InstructTune.Metrics.Statistics.Verdict;

namespace InstructTune.Evaluation.Api;

/// <summary>Comparisons as the API asks for and shows them.</summary>
internal static class ComparisonMapping
{
    private const int MaxArms = 64;
    private const int MaxSeeds = 32;
    private const double DefaultMargin = 0.01;

    /// <summary>Run IDs by arm and seed.</summary>
    public static (IReadOnlyList<IReadOnlyList<string>> Arms, double Margin) Read(CompareEvaluationRunsRequest request)
    {
        var violations = new FieldViolations()
            .Check(request.Arms.Count is >= 2 and <= MaxArms, "arms", $"must be 2 to {MaxArms}, the baseline first")
            .Check(
                !request.HasEquivalenceMargin || request.EquivalenceMargin is >= 0 and <= 1,
                "equivalence_margin",
                "must be from 0 to 1, in the unit of the scores");
        var seedCount = request.Arms.Count == 0 ? 1 : Math.Clamp(request.Arms[0].Runs.Count, 1, MaxSeeds);
        var arms = new List<IReadOnlyList<string>>();
        for (var i = 0; i < request.Arms.Count; i++)
        {
            violations.Check(
                request.Arms[i].Runs.Count == seedCount, $"arms[{i}].runs", $"must be as many as the baseline's, 1 to {MaxSeeds}: one for each seed");
            arms.Add(ReadRuns(request.Arms[i].Runs, $"arms[{i}].runs", violations));
        }
        violations.ThrowIfAny();
        return (arms, request.HasEquivalenceMargin ? request.EquivalenceMargin : DefaultMargin);
    }

    private static List<string> ReadRuns(IEnumerable<string> names, string field, FieldViolations violations)
    {
        var runIds = new List<string>();
        foreach (var (name, index) in names.Select((name, index) => (name, index)))
        {
            var isRun = ResourceName.TryParse(RunSpec.NamePattern, name, out var run);
            violations.Check(isRun, $"{field}[{index}]", $"must have the form '{RunSpec.NamePattern}'");
            runIds.AddRange(run);
        }
        return runIds;
    }

    public static CompareEvaluationRunsResponse ToProto(IReadOnlyList<ArmComparison> comparisons)
    {
        var response = new CompareEvaluationRunsResponse();
        response.Comparisons.Add(comparisons.Select(ToProto));
        return response;
    }

    public static DomainException ToDomainException(RunsNotComparableException exception) => new(
        ErrorReason.RunsNotComparable, exception.Message, ("run", exception.Run), ("difference", exception.Difference));

    private static CompareEvaluationRunsResponse.Types.Comparison ToProto(ArmComparison comparison)
    {
        var paired = comparison.Paired;
        var result = new CompareEvaluationRunsResponse.Types.Comparison
        {
            ArmIndex = comparison.ArmIndex,
            TaskId = comparison.TaskId,
            Metric = comparison.Metric,
            Difference = paired.Difference,
            Lower = paired.Interval95.Lower,
            Upper = paired.Interval95.Upper,
            PValue = paired.PValue,
            AdjustedPValue = comparison.AdjustedP,
            Wins = paired.Wins,
            Losses = paired.Losses,
            Ties = paired.Ties,
            SeedCount = comparison.SeedCount,
            Verdict = ToProto(comparison.Judgement.Verdict),
        };
        result.Flags.Add(comparison.Flags);
        return result;
    }

    private static CompareEvaluationRunsResponse.Types.Verdict ToProto(Verdict verdict) => verdict switch
    {
        Verdict.Better => CompareEvaluationRunsResponse.Types.Verdict.Better,
        Verdict.Worse => CompareEvaluationRunsResponse.Types.Verdict.Worse,
        Verdict.Equivalent => CompareEvaluationRunsResponse.Types.Verdict.Equivalent,
        _ => CompareEvaluationRunsResponse.Types.Verdict.Undecided,
    };
}
