using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;

namespace InstructTune.Unit.Tests.Evaluation;

/// <summary>Small suites and answers.</summary>
internal static class Samples
{
    public const string ExactMatch = "em/tk-instruct";

    public static SuiteTask Task(string id = "task", long maxExamples = 0, params string[] metrics) => new()
    {
        TaskId = id,
        DatasetVersion = "datasets/d/versions/v",
        Metrics = metrics.Length == 0 ? [ExactMatch] : metrics,
        Sampling = Sampling.Greedy,
        MaxOutputTokens = 128,
        StopSequences = [],
        MaxExamples = maxExamples,
    };

    public static Answer Answer(long index, double score = 1, string taskId = "task", string text = "yes") => new()
    {
        TaskId = taskId,
        ExampleIndex = index,
        Prompt = "Is it?",
        Text = text,
        References = ["yes"],
        Scores = new Dictionary<string, double>(StringComparer.Ordinal) { [ExactMatch] = score },
        Ending = Ending.EndOfText,
        ChoiceLogprobs = [],
    };
}
