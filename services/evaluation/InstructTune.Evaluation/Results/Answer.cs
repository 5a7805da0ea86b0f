using InstructTune.Evaluation.Runs;
using InstructTune.Evaluation.Suites;

namespace InstructTune.Evaluation.Results;

/// <summary>One question, its answer and its scores.</summary>
internal sealed record Answer
{
    public required string TaskId { get; init; }

    public required long ExampleIndex { get; init; }

    public required string Prompt { get; init; }

    /// <summary>What was generated; for multiple choice alone, the option that the leading metric chose.</summary>
    public required string Text { get; init; }

    public required IReadOnlyList<string> References { get; init; }

    /// <summary>Long metric id to score in [0, 1].</summary>
    public required IReadOnlyDictionary<string, double> Scores { get; init; }

    public required Ending Ending { get; init; }

    public required IReadOnlyList<double> ChoiceLogprobs { get; init; }

    /// <summary>Why there is no answer; empty otherwise.</summary>
    public string Note { get; init; } = "";

    /// <summary>Marks an answer; what is missing counts as an empty answer, and as a wrong choice.</summary>
    public static Answer Mark(SuiteTask task, Question question, GeneratedText? generated, IReadOnlyList<double>? logprobs, string note)
    {
        var scores = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var metric in task.GeneratedMetrics)
        {
            scores[metric.Id] = generated is null ? 0 : metric.Score(question.References, generated.Text);
        }
        foreach (var metric in task.ChoiceMetrics)
        {
            scores[metric.Id] = logprobs is null ? 0 : metric.Score(question.References, question.Choices, logprobs);
        }
        return new Answer
        {
            TaskId = task.TaskId,
            ExampleIndex = question.Index,
            Prompt = question.Prompt.Readable,
            Text = generated?.Text ?? ChosenOption(task, question, logprobs),
            References = question.References,
            Scores = scores,
            Ending = generated?.Ending ?? Ending.None,
            ChoiceLogprobs = logprobs ?? [],
            Note = note,
        };
    }

    private static string ChosenOption(SuiteTask task, Question question, IReadOnlyList<double>? logprobs) =>
        task.GeneratedMetrics.Count > 0 || logprobs is null ? "" : question.Choices[task.ChoiceMetrics[0].Choose(logprobs, question.Choices)];
}
