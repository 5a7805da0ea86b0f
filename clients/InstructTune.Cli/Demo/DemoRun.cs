using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Commands;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>
/// The experiment, over the public API: import, train both arms from one base, mark base and arms on held-out data, compare, and let
/// each answer one question.
/// </summary>
internal sealed class DemoRun(InstructTuneClient client, CliContext context, IDemoData data, ulong seed, DemoTraining training)
{
    private readonly long _start = context.Time.GetTimestamp();
    private readonly CancellationToken _ct = context.Interrupts.First;

    public async Task<DemoResult> RunAsync()
    {
        Say("Importing the base model and the data");
        var header = new UploadModelVersionRequest.Types.Header { Parent = "models/base" };
        var baseModel = await Imports.ModelAsync(client, context.Terminal, header, data.BaseFolder, _ct);
        var datasets = await data.ImportAsync(client, context.Terminal, _ct);
        var plan = data.Plan(baseModel.ParameterCount);

        var seeds = plan.SeedCount == 1 ? "one seed" : $"{plan.SeedCount} seeds";
        Say($"Training '{DemoArm.SpecialistTitle}' and '{DemoArm.TwoStageTitle}' from {Formats.Count(baseModel.ParameterCount)} parameters, {seeds} each");
        var trained = await training.TrainAsync(baseModel.Name, datasets, plan, seed);

        Say("Asking the base and what was made of it the held-out questions");
        var marking = new DemoMarking(client, context);
        var untrained = new DemoArm(DemoArm.BaseTitle, "#777777", baseModel.Name);
        var arms = await marking.MarkAsync([untrained, .. trained], datasets.Test, plan, seed);
        var comparison = await marking.CompareAsync(arms, DemoArm.SpecialistTitle, DemoArm.TwoStageTitle);
        var progress = await marking.CompareAsync(arms, DemoArm.BaseTitle, DemoArm.SpecialistTitle, DemoArm.TwoStageTitle);

        Say("One question to each");
        var answered = await AskAsync(arms, datasets.Test, plan);
        return new DemoResult(
            datasets.Description, baseModel, plan, seed, answered, comparison, progress, context.Time.GetElapsedTime(_start));
    }

    private void Say(string what) =>
        context.Terminal.Note($"[{Formats.Duration(context.Time.GetElapsedTime(_start))}] {what}");

    private async Task<IReadOnlyList<DemoArm>> AskAsync(IReadOnlyList<DemoArm> arms, string test, DemoPlan plan)
    {
        var example = await FirstExampleAsync(test);
        context.Terminal.Out.WriteLine(example.Instruction.Instruction_);
        if (example.Instruction.Input.Length > 0)
        {
            context.Terminal.Out.WriteLine(example.Instruction.Input);
        }

        context.Terminal.Out.WriteLine($"  wanted: {example.Output}");
        var answered = new List<DemoArm>();
        foreach (var arm in arms)
        {
            if (!arm.IsFirstSeed)
            {
                answered.Add(arm);
                continue;
            }

            context.Terminal.Out.Write($"  {arm.Title}: ");
            var request = new GenerateRequest
            {
                Model = arm.ModelVersion,
                Instruction = example.Instruction,
                MaxOutputTokens = plan.MaxOutputTokens,
                Sampling = new SamplingParameters { Temperature = 0 },
            };
            answered.Add(arm with { Sample = await AnswerStream.WriteAsync(client, context.Terminal, request, _ct) });
        }

        return answered;
    }

    private async Task<Example> FirstExampleAsync(string test)
    {
        using var stream = client.Datasets.StreamExamples(new StreamExamplesRequest { Name = test, ExampleCount = 1 }, cancellationToken: _ct);
        return await stream.ResponseStream.MoveNext(_ct) && stream.ResponseStream.Current.Example.PromptCase == Example.PromptOneofCase.Instruction
            ? stream.ResponseStream.Current.Example
            : throw new CliException("The held-out data does not begin with an instruction.");
    }
}
