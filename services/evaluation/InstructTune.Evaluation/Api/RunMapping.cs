using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Evaluation.Api;

/// <summary>Runs and their results as the API shows them.</summary>
internal static class RunMapping
{
    public static EvaluationRun ToProto(JobRecord job, IReadOnlyList<TaskScore> scores)
    {
        var spec = RunSpec.Parse(job.Spec);
        var result = new EvaluationRun
        {
            Name = RunSpec.NameOf(job.Id),
            Suite = Suite.NameOf(spec.SuiteId),
            ModelVersion = spec.ModelVersion,
            Seed = spec.Seed,
            Job = JobMapping.ToProto(job),
        };
        result.Labels.Add(spec.Labels.ToDictionary());
        result.Scores.Add(scores.Select(ToProto));
        return result;
    }

    public static ListEvaluationResultsResponse ToProto(ResultPage page)
    {
        var response = new ListEvaluationResultsResponse { NextPageToken = page.NextPageToken };
        response.EvaluationResults.Add(page.Answers.Select(ToProto));
        return response;
    }

    private static EvaluationRun.Types.TaskScore ToProto(TaskScore score) => new()
    {
        TaskId = score.TaskId,
        Metric = score.Metric,
        Value = score.Value,
        Lower = score.Lower,
        Upper = score.Upper,
        ExampleCount = score.ExampleCount,
    };

    private static EvaluationResult ToProto(Answer answer)
    {
        var result = new EvaluationResult
        {
            TaskId = answer.TaskId,
            ExampleIndex = answer.ExampleIndex,
            Prompt = answer.Prompt,
            Answer = answer.Text,
            FinishReason = ToProto(answer.Ending),
        };
        result.References.Add(answer.References);
        result.Scores.Add(answer.Scores.ToDictionary());
        result.ChoiceLogprobs.Add(answer.ChoiceLogprobs);
        return result;
    }

    private static FinishReason ToProto(Ending ending) => ending switch
    {
        Ending.EndOfText => FinishReason.EndOfText,
        Ending.StopSequence => FinishReason.StopSequence,
        Ending.StopToken => FinishReason.StopToken,
        Ending.Length => FinishReason.Length,
        _ => FinishReason.Unspecified,
    };
}
