using InstructTune.Cli.Commands;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Report.Runs;

/// <summary>Asks the server for everything that a run's report says.</summary>
internal sealed class RunReader(InstructTuneClient client, TimeProvider time, CancellationToken ct)
{
    private const int PageSize = 1000;
    private const int MaxAnswerTokens = 96;

    public async Task<RunFacts> ReadAsync(string name, int samplesPerStage)
    {
        var job = await client.FineTunes.GetFineTuneJobAsync(new() { Name = name }, cancellationToken: ct);
        var version = job.ModelVersion.Length == 0 ? null : await client.Models.GetModelVersionAsync(new() { Name = job.ModelVersion }, cancellationToken: ct);
        return new RunFacts
        {
            Job = job,
            Version = version,
            Rows = await Pages.AllAsync(
                token => client.FineTunes.ListTrainingMetricsAsync(new() { Parent = name, PageSize = PageSize, PageToken = token }, cancellationToken: ct).ResponseAsync,
                page => page.Rows,
                page => page.NextPageToken),
            Events = await Pages.AllAsync(
                token => client.FineTunes.ListFineTuneJobEventsAsync(new() { Parent = name, PageSize = PageSize, PageToken = token }, cancellationToken: ct).ResponseAsync,
                page => page.Events,
                page => page.NextPageToken),
            Evaluations = version is null ? [] : await EvaluationsAsync(version.Name),
            Samples = samplesPerStage > 0 ? await SamplesAsync(job, samplesPerStage) : [],
            Now = time.GetUtcNow(),
        };
    }

    private async Task<IReadOnlyList<EvaluationRun>> EvaluationsAsync(string version)
    {
        var runs = await Pages.AllAsync(
            token => client.Evaluations.ListEvaluationRunsAsync(new() { PageSize = PageSize, PageToken = token }, cancellationToken: ct).ResponseAsync,
            page => page.EvaluationRuns,
            page => page.NextPageToken);
        return [.. runs.Where(run => run.ModelVersion == version && run.Job.State == JobState.Succeeded)];
    }

    private async Task<IReadOnlyList<Sample>> SamplesAsync(FineTuneJob job, int count)
    {
        var samples = new List<Sample>();
        foreach (var stage in job.Stages.Where(stage => stage.DatasetVersion.Length > 0))
        {
            using var stream = client.Datasets.StreamExamples(new StreamExamplesRequest { Name = stage.DatasetVersion, ExampleCount = count }, cancellationToken: ct);
            while (await stream.ResponseStream.MoveNext(ct))
            {
                var example = stream.ResponseStream.Current.Example;
                if (example.PromptCase == Example.PromptOneofCase.Instruction)
                {
                    var asked = example.Instruction;
                    var prompt = asked.Input.Length == 0 ? asked.Instruction_ : $"{asked.Instruction_}\n{asked.Input}";
                    samples.Add(new Sample(stage.StageId, prompt, example.Output, await AnswerAsync(job.ModelVersion, asked)));
                }
            }
        }

        return samples;
    }

    private async Task<string> AnswerAsync(string model, Instruction asked)
    {
        if (model.Length == 0)
        {
            return "";
        }

        var request = new GenerateRequest { Model = model, Instruction = asked, MaxOutputTokens = MaxAnswerTokens, Sampling = new SamplingParameters { Temperature = 0 } };
        var answer = await DefaultLength.AskAsync(request, () => client.Inference.GenerateAsync(request, cancellationToken: ct).ResponseAsync);
        return answer.Candidates[0].Text;
    }
}
