using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Suites;
using InstructTune.Jobs;
using Microsoft.Extensions.Options;

namespace InstructTune.Evaluation.Runs;

/// <summary>Asks the questions of one task, many at once, so that the inference engine batches them.</summary>
internal sealed class TaskRunner(IDatasets datasets, IAnswerer answerer, IOptions<EvaluationOptions> options)
{
    public async Task RunAsync(
        TaskPlan plan, RunSpec spec, AnswerSet answers, ResultJournal journal, RunProgress progress, CancellationToken ct)
    {
        var open = plan.Indices.Where(index => !answers.Has(plan.Task.TaskId, index)).ToList();
        var questions = datasets.ReadQuestionsAsync(plan.Task.DatasetVersion, open, ct);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Value.ConcurrentQuestions, CancellationToken = ct };
        await Parallel.ForEachAsync(questions, parallel, async (question, token) =>
        {
            var answer = await AskAsync(plan.Task, spec, question, token);
            await journal.AppendAsync(answer);
            answers.Add(answer);
            await progress.AddAsync();
        });
    }

    private async Task<Answer> AskAsync(SuiteTask task, RunSpec spec, Question question, CancellationToken ct)
    {
        GeneratedText? generated = null;
        IReadOnlyList<double>? logprobs = null;
        var note = "";
        try
        {
            if (task.ChoiceMetrics.Count > 0)
            {
                RequireChoices(task, question);
                logprobs = await answerer.ScoreChoicesAsync(spec.ModelVersion, question, ct);
            }
            if (task.GeneratedMetrics.Count > 0)
            {
                var seed = TaskPlan.AnswerSeed(spec.Seed, question.Index);
                generated = await answerer.GenerateAsync(spec.ModelVersion, question, task, seed, ct);
            }
        }
        catch (QuestionRefusedException refused)
        {
            note = $"{refused.Reason}: {refused.Message}";
        }
        return Answer.Mark(task, question, generated, logprobs, note);
    }

    private static void RequireChoices(SuiteTask task, Question question)
    {
        if (question.Choices.Count == 0 || question.Choices.Contains(""))
        {
            throw new JobFailedException(new JobFault(
                "DATA_INVALID",
                $"Task {task.TaskId}: example {question.Index} of {task.DatasetVersion} has {(question.Choices.Count == 0 ? "no choices" : "an empty choice")}, "
                + "but the task's metrics compare the log-probabilities of choices: use metrics of generated answers, or other data.",
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["task_id"] = task.TaskId, ["dataset_version"] = task.DatasetVersion, ["example_index"] = question.Index.ToString(),
                }));
        }
    }
}
