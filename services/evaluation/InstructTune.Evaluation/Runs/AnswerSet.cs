using System.Collections.Concurrent;
using InstructTune.Evaluation.Results;

namespace InstructTune.Evaluation.Runs;

/// <summary>The answers that a run has, by question. The first answer to a question stands.</summary>
internal sealed class AnswerSet
{
    private readonly ConcurrentDictionary<(string TaskId, long ExampleIndex), Answer> _answers = new();

    public AnswerSet(IEnumerable<Answer> answers)
    {
        foreach (var answer in answers)
        {
            Add(answer);
        }
    }

    public int Count => _answers.Count;

    public void Add(Answer answer) => _answers.TryAdd((answer.TaskId, answer.ExampleIndex), answer);

    public bool Has(string taskId, long exampleIndex) => _answers.ContainsKey((taskId, exampleIndex));

    /// <summary>The answers of a finished task, in the order of its examples.</summary>
    public IReadOnlyList<Answer> Of(TaskPlan plan) => [.. plan.Indices.Select(index => _answers[(plan.Task.TaskId, index)])];
}
