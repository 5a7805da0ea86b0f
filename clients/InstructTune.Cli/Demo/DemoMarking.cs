using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Commands;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>Marks the arms on the held-out data and compares the two trained ones.</summary>
internal sealed class DemoMarking(InstructTuneClient client, CliContext context)
{
    private const int AnswersInReport = 8;

    public async Task<IReadOnlyList<DemoArm>> MarkAsync(IReadOnlyList<DemoArm> arms, string test, DemoPlan plan, ulong seed)
    {
        var suite = await CreateSuiteAsync(test, plan);
        var marked = new List<DemoArm>();
        foreach (var arm in arms)
        {
            var wanted = new EvaluationRun { Suite = suite, ModelVersion = arm.ModelVersion, Seed = seed };
            var run = await EvaluationRunner.RunAsync(client, context.Terminal, wanted, context.Interrupts, arm.Title, isBrief: true);
            var answers = await client.Evaluations.ListEvaluationResultsAsync(
                new() { Parent = run.Name, PageSize = AnswersInReport }, cancellationToken: context.Interrupts.First);
            marked.Add(arm with { Run = run, Answers = [.. answers.EvaluationResults] });
        }

        return marked;
    }

    /// <summary>Compares ways to train over all their seeds; the baseline first. The untrained base stands for every seed.</summary>
    public async Task<CompareEvaluationRunsResponse> CompareAsync(IReadOnlyList<DemoArm> arms, params string[] ways)
    {
        var seedCount = arms.Max(arm => arm.SeedIndex) + 1;
        var request = new CompareEvaluationRunsRequest();
        foreach (var way in ways)
        {
            var runs = arms.Where(arm => arm.Way == way).Select(arm => arm.Run!.Name).ToList();
            var compared = new CompareEvaluationRunsRequest.Types.Arm { Title = way };
            compared.Runs.AddRange(runs.Count == seedCount ? runs : Enumerable.Repeat(runs[0], seedCount));
            request.Arms.Add(compared);
        }

        return await client.Evaluations.CompareEvaluationRunsAsync(request, cancellationToken: context.Interrupts.First);
    }

    private async Task<string> CreateSuiteAsync(string test, DemoPlan plan)
    {
        var task = new EvaluationSuite.Types.Task
        {
            TaskId = "heldout",
            DatasetVersion = test,
            MaxExamples = plan.MaxTestExamples,
            MaxOutputTokens = plan.MaxOutputTokens,
        };
        task.Metrics.AddRange(plan.Metrics);
        var request = new CreateEvaluationSuiteRequest
        {
            EvaluationSuiteId = "demo-heldout",
            EvaluationSuite = new EvaluationSuite { DisplayName = "Held-out data of the demonstration", Tasks = { task } },
        };
        var suite = await client.Evaluations.CreateEvaluationSuiteAsync(request, cancellationToken: context.Interrupts.First);
        return suite.Name;
    }
}
