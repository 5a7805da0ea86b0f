using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Specs;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune finetune create</c>.</summary>
internal static class FineTuneCreateCommand
{
    private static readonly Option<string?> SpecPath = new("--file", "-f")
    {
        Description = "A job file: a whole FineTuneSpec in YAML, field names as in the API.",
        HelpName = "job.yaml",
    };

    private static readonly Option<string?> Id = new("--name") { Description = "Id of the job; default: chosen by the server.", HelpName = "JOB" };

    private static readonly Option<string?> OutputModel = new("--output-model", "--output")
    {
        Description = "Model that receives the result; default: one named like the job.",
        HelpName = "MODEL",
    };

    private static readonly Option<string[]> Exports = new("--export")
    {
        Description = $"Also write the result in this format, checked against it: {ExportFormats.Names}. May be repeated.",
        HelpName = "FORMAT",
    };

    private static readonly Option<bool> DryRun = new("--dry-run")
    {
        Description = "Queue nothing: fill in every default, read the data, show samples, and estimate steps, memory, time and disk.",
    };

    public static Command Create(CliContext context, Option<bool> watch)
    {
        var flags = new FineTuneFlags();
        var command = new Command("create", "Queues a training in one or two stages.").With(SpecPath, Id, OutputModel, Exports, DryRun, watch);
        return flags.AddTo(command).WithAction(context, call => RunAsync(call, flags, watch));
    }

    private static async Task<int> RunAsync(CommandCall call, FineTuneFlags flags, Option<bool> watch)
    {
        var spec = ReadSpec(call, flags);
        using var client = call.Connect();
        if (call.Value(SpecPath) is null)
        {
            await ResolveAsync(call, client, spec);
        }

        var request = new CreateFineTuneJobRequest
        {
            FineTuneJobId = call.Value(Id) ?? "",
            ValidateOnly = call.Value(DryRun),
            FineTuneJob = new FineTuneJob
            {
                Spec = spec,
                OutputModel = call.Value(OutputModel) is { } model ? Names.Model(model) : "",
                ModelExports = { (call.Value(Exports) ?? []).Select(ExportFormats.Parse) },
            },
        };
        var job = await client.FineTunes.CreateFineTuneJobAsync(request, cancellationToken: call.Ct);
        if (request.ValidateOnly)
        {
            return EstimateText.Write(call, job);
        }

        if (call.Value(watch))
        {
            call.Terminal.Note($"Created {Names.Short(job.Name)}.");
            return await new JobFollower(call, client.FineTuneJob(job.Name), 0).WatchOwnAsync();
        }

        FineTuneCommands.Write(call, job);
        call.Terminal.Note($"Follow it with: instructtune finetune watch {Names.Short(job.Name)}");
        return ExitCode.Ok;
    }

    private static FineTuneSpec ReadSpec(CommandCall call, FineTuneFlags flags)
    {
        if (call.Value(SpecPath) is not { } path)
        {
            return flags.Read(call);
        }

        return flags.FirstGiven(call) is { } flag
            ? throw CliException.Usage($"-f and {flag} exclude each other: write the value into {path}.")
            : SpecFile.Read(path);
    }

    private static async Task ResolveAsync(CommandCall call, InstructTuneClient client, FineTuneSpec spec)
    {
        spec.BaseModel = Names.IsCheckpoint(spec.BaseModel) ? spec.BaseModel : await Imports.ModelOfAsync(client, call.Terminal, spec.BaseModel, call.Ct);
        foreach (var stage in spec.Stages)
        {
            if (stage.Mix is null)
            {
                stage.Dataset = await Imports.DatasetOfAsync(client, call.Terminal, stage.Dataset, call.Ct);
                continue;
            }

            foreach (var component in stage.Mix.Components)
            {
                component.Version = await Imports.DatasetOfAsync(client, call.Terminal, component.Version, call.Ct);
            }
        }
    }
}
