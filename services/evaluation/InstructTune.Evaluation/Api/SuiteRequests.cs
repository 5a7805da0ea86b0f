using InstructTune.Evaluation.Peers;
using InstructTune.Evaluation.Suites;
using InstructTune.Hosting;
using InstructTune.Metrics;
using InstructTune.V1;

namespace InstructTune.Evaluation.Api;

/// <summary>Reads a suite as it was asked for; one answer names everything that is wrong with it.</summary>
internal static class SuiteRequests
{
    private const int MaxTasks = 64;
    private const int MaxTaskIdLength = 64;
    private const int MaxStopSequences = 16;
    private const int MaxStopLength = 64;

    public static Suite Read(CreateEvaluationSuiteRequest request)
    {
        var violations = new FieldViolations().CheckId(request.EvaluationSuiteId, "evaluation_suite_id");
        var suite = request.EvaluationSuite ?? new EvaluationSuite();
        violations.Check(suite.Tasks.Count is >= 1 and <= MaxTasks, "evaluation_suite.tasks", $"must have 1 to {MaxTasks} entries");
        for (var i = 0; i < suite.Tasks.Count; i++)
        {
            Check(violations, suite.Tasks[i], $"evaluation_suite.tasks[{i}]");
            violations.Check(
                suite.Tasks.Take(i).All(task => task.TaskId != suite.Tasks[i].TaskId),
                $"evaluation_suite.tasks[{i}].task_id",
                $"'{suite.Tasks[i].TaskId}' names another task of the suite already");
        }
        violations.ThrowIfAny();
        return new Suite(suite.DisplayName, [.. suite.Tasks.Select(ToDomain)]);
    }

    private static void Check(FieldViolations violations, EvaluationSuite.Types.Task task, string field)
    {
        violations
            .Check(task.TaskId.Length is >= 1 and <= MaxTaskIdLength, field + ".task_id", $"must have 1 to {MaxTaskIdLength} characters")
            .Check(
                ResourceName.TryParse("datasets/{dataset}", task.DatasetVersion, out _)
                    || ResourceName.TryParse("datasets/{dataset}/versions/{version}", task.DatasetVersion, out _),
                field + ".dataset_version",
                "must have the form 'datasets/{dataset}/versions/{version}' or 'datasets/{dataset}'")
            .Check(task.Metrics.Count > 0, field + ".metrics", "must name at least one metric")
            .Check(task.MaxOutputTokens >= 0, field + ".max_output_tokens", "must not be negative")
            .Check(task.MaxExamples >= 0, field + ".max_examples", "must not be negative")
            .Check(
                task.StopSequences.Count <= MaxStopSequences && task.StopSequences.All(stop => stop.Length is >= 1 and <= MaxStopLength),
                field + ".stop_sequences",
                $"must be at most {MaxStopSequences}, each of 1 to {MaxStopLength} characters");
        var known = string.Join(", ", MetricDefinition.All.Select(metric => metric.Id));
        foreach (var id in task.Metrics)
        {
            violations.Check(MetricDefinition.Find(id) is not null, field + ".metrics", $"'{id}' is unknown: use one of {known}");
        }
        violations.Check(
            task.Metrics.DistinctBy(id => MetricDefinition.Find(id)?.Id ?? id).Count() == task.Metrics.Count,
            field + ".metrics",
            "must name each metric once");
        if (task.Sampling is { } sampling)
        {
            Check(violations, sampling, field + ".sampling");
        }
    }

    private static void Check(FieldViolations violations, SamplingParameters sampling, string field) => violations
        .Check(sampling.Temperature is >= 0 and <= 2, field + ".temperature", "must be from 0 to 2")
        .Check(!sampling.HasTopP || sampling.TopP is > 0 and <= 1, field + ".top_p", "must be above 0 and at most 1")
        .Check(sampling.TopK >= 0, field + ".top_k", "must not be negative")
        .Check(sampling.MinP is >= 0 and <= 1, field + ".min_p", "must be from 0 to 1")
        .Check(
            !sampling.HasRepetitionPenalty || sampling.RepetitionPenalty is > 0 and <= 10, field + ".repetition_penalty", "must be above 0 and at most 10")
        .Check(sampling.PresencePenalty is >= -2 and <= 2, field + ".presence_penalty", "must be from -2 to 2")
        .Check(sampling.FrequencyPenalty is >= -2 and <= 2, field + ".frequency_penalty", "must be from -2 to 2")
        .Check(sampling.MinTokens >= 0, field + ".min_tokens", "must not be negative")
        .Check(!sampling.HasSeed, field + ".seed", "must be absent: the seed of the run fixes the draws");

    private static SuiteTask ToDomain(EvaluationSuite.Types.Task task) => new()
    {
        TaskId = task.TaskId,
        DatasetVersion = task.DatasetVersion,
        Metrics = [.. task.Metrics.Select(id => MetricDefinition.Find(id)!.Id)],
        Sampling = task.Sampling is null ? Sampling.Greedy : SamplingMapping.ToDomain(task.Sampling),
        MaxOutputTokens = task.MaxOutputTokens == 0 ? SuiteTask.DefaultMaxOutputTokens : task.MaxOutputTokens,
        StopSequences = [.. task.StopSequences],
        MaxExamples = task.MaxExamples,
    };
}
