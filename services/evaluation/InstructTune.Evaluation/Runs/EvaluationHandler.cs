using System.Text.Json;
using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Suites;
using InstructTune.Jobs;

namespace InstructTune.Evaluation.Runs;

/// <summary>
/// Runs a suite on a model. Every answer is durable before it counts, so that an attempt goes on where the one before
/// stopped and asks nothing again that was answered.
/// </summary>
internal sealed class EvaluationHandler(
    SuiteCatalog suites, IDatasets datasets, TaskRunner tasks, ResultStore results, ScoreBoard scores, TimeProvider clock,
    Microsoft.Extensions.Options.IOptions<EvaluationOptions> options) : IJobHandler
{
    public async Task<string> RunAsync(JobContext context, CancellationToken ct)
    {
        var run = context.Job.Id;
        var spec = RunSpec.Parse(context.Job.Spec);
        var suite = suites.Find(spec.SuiteId)?.Content ?? throw Gone(spec.SuiteId);

        await context.ReportAsync(new PhaseBody("loading"), context.Job.Progress);
        var plans = await PlanAsync(suite, spec.Seed, ct);
        var answers = new AnswerSet(results.Read(run));
        var progress = new RunProgress(context, plans.Sum(plan => (long)plan.Indices.Count), answers.Count, options.Value.ProgressInterval, clock);

        await context.ReportAsync(new PhaseBody("evaluating"), progress.Fraction);
        await using (var journal = results.OpenJournal(run, context.Job.Attempt))
        {
            foreach (var plan in plans)
            {
                await tasks.RunAsync(plan, spec, answers, journal, progress, ct);
                var taskAnswers = answers.Of(plan);
                scores.Put(run, TaskScore.Of(plan.Task, taskAnswers));
                await ReportRefusalsAsync(context, plan.Task, taskAnswers, progress.Fraction);
            }
        }

        ct.ThrowIfCancellationRequested();
        var digest = results.Publish(run, plans.SelectMany(answers.Of));
        return JsonSerializer.Serialize(new { resultsSha256 = digest });
    }

    private async Task<List<TaskPlan>> PlanAsync(Suite suite, ulong seed, CancellationToken ct)
    {
        var plans = new List<TaskPlan>();
        foreach (var task in suite.Tasks)
        {
            var count = await datasets.CountExamplesAsync(task.DatasetVersion, ct);
            if (count == 0)
            {
                throw new JobFailedException(new JobFault(
                    "DATA_INVALID",
                    $"{task.DatasetVersion} of task {task.TaskId} has no examples: use another version.",
                    new Dictionary<string, string>(StringComparer.Ordinal) { ["task_id"] = task.TaskId, ["dataset_version"] = task.DatasetVersion }));
            }
            plans.Add(TaskPlan.Of(task, count, seed));
        }
        return plans;
    }

    private static async Task ReportRefusalsAsync(JobContext context, SuiteTask task, IReadOnlyList<Answer> answers, double progress)
    {
        var refused = answers.Where(answer => answer.Note.Length > 0).ToList();
        if (refused.Count == 0)
        {
            return;
        }
        var (count, first) = (refused.Count.ToString(), refused[0].ExampleIndex.ToString());
        await context.ReportAsync(
            new NoticeBody(
                "QUESTIONS_WITHOUT_ANSWER",
                $"Task {task.TaskId}: {count} questions count as answered with nothing; the first, example {first}: {refused[0].Note}",
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["task_id"] = task.TaskId, ["count"] = count, ["first_example_index"] = first, ["first_note"] = refused[0].Note,
                }),
            progress);
    }

    private static JobFailedException Gone(string suiteId) => new(new JobFault(
        "RESOURCE_NOT_FOUND",
        $"{Suite.NameOf(suiteId)} does not exist any more: create the suite again and start a new run.",
        new Dictionary<string, string>(StringComparer.Ordinal) { ["resource"] = Suite.NameOf(suiteId) }));
}
