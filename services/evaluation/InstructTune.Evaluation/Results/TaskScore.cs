using InstructTune.Evaluation.Suites;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Evaluation.Results;

/// <summary>The score on one task by one metric, with its 95% interval.</summary>
internal sealed record TaskScore(string TaskId, string Metric, double Value, double Lower, double Upper, long ExampleCount)
{
    /// <summary>One score for each metric of the task, in its order.</summary>
    public static IReadOnlyList<TaskScore> Of(SuiteTask task, IReadOnlyList<Answer> answers) =>
        [.. task.Metrics.Select(metric => Of(task.TaskId, metric, [.. answers.Select(answer => answer.Scores[metric])]))];

    private static TaskScore Of(string taskId, string metric, double[] scores)
    {
        var interval = ScoreInterval.OfScores(scores);
        return new TaskScore(taskId, metric, Moments.Of(scores).Mean, interval.Lower, interval.Upper, scores.Length);
    }
}
