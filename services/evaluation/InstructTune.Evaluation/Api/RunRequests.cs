using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Evaluation.Api;

/// <summary>Reads a run as it was asked for.</summary>
internal static class RunRequests
{
    private const int MaxLabels = 64;
    private const int MaxLabelKeyLength = 63;
    private const int MaxLabelValueLength = 256;

    public static RunRequest Read(CreateEvaluationRunRequest request)
    {
        var run = request.EvaluationRun ?? new EvaluationRun();
        var isSuite = ResourceName.TryParse(Suite.NamePattern, run.Suite, out var suite);
        new FieldViolations()
            .Check(isSuite, "evaluation_run.suite", $"must have the form '{Suite.NamePattern}'")
            .Check(
                ResourceName.TryParse("models/{model}/versions/{version}", run.ModelVersion, out _),
                "evaluation_run.model_version",
                "must have the form 'models/{model}/versions/{version}'")
            .Check(
                run.Labels.Count <= MaxLabels
                    && run.Labels.All(label => label.Key.Length is >= 1 and <= MaxLabelKeyLength && label.Value.Length <= MaxLabelValueLength),
                "evaluation_run.labels",
                $"must be at most {MaxLabels}, keys of 1 to {MaxLabelKeyLength} and values of at most {MaxLabelValueLength} characters")
            .Check(request.RequestId.Length == 0 || Guid.TryParse(request.RequestId, out _), "request_id", "must be a UUID")
            .ThrowIfAny();
        return new RunRequest(
            suite[0], run.ModelVersion, run.Seed, new Dictionary<string, string>(run.Labels, StringComparer.Ordinal), request.RequestId);
    }
}
