using Google.Protobuf.WellKnownTypes;
using InstructTune.Evaluation.Peers;
using InstructTune.Evaluation.Suites;
using InstructTune.Storage;
using InstructTune.V1;

namespace InstructTune.Evaluation.Api;

/// <summary>Suites as the API shows them.</summary>
internal static class SuiteMapping
{
    public static EvaluationSuite ToProto(Document<Suite> document)
    {
        var result = new EvaluationSuite
        {
            Name = Suite.NameOf(document.Id),
            DisplayName = document.Content.DisplayName,
            ContentSha256 = document.Content.ContentSha256,
            CreateTime = document.CreateTime.ToTimestamp(),
        };
        result.Tasks.Add(document.Content.Tasks.Select(ToProto));
        return result;
    }

    private static EvaluationSuite.Types.Task ToProto(SuiteTask task)
    {
        var result = new EvaluationSuite.Types.Task
        {
            TaskId = task.TaskId,
            DatasetVersion = task.DatasetVersion,
            Sampling = SamplingMapping.ToProto(task.Sampling),
            MaxOutputTokens = task.MaxOutputTokens,
            MaxExamples = task.MaxExamples,
        };
        result.Metrics.Add(task.Metrics);
        result.StopSequences.Add(task.StopSequences);
        return result;
    }
}
