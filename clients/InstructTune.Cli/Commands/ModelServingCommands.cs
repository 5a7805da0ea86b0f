using System.CommandLine;
using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune model load|unload|served</c>: what the inference service has in memory.</summary>
internal static class ModelServingCommands
{
    private static readonly Argument<string> Model = new("model") { Description = "NAME or NAME@VERSION." };

    private static readonly Option<string?> Format = WeightFormatOption.Create(
        "Number format that full weights are served in from now on. Default: as they are served, or as the service is configured.");

    private static readonly Option<bool> Pinned = new("--pin") { Description = "Keep it in memory, and the base of an adapter with it, until it is unloaded." };

    public static IEnumerable<Command> Create(CliContext context) =>
    [
        new Command("load", "Brings a version into the memory of the inference service.").With(Model, Format, Pinned).WithAction(context, LoadAsync),
        new Command("unload", "Takes a version out of memory; requests that run finish first.").With(Model).WithAction(context, UnloadAsync),
        new Command("served", "Lists what the inference service has in memory.").WithAction(context, ListAsync),
    ];

    private static async Task<int> LoadAsync(CommandCall call)
    {
        var request = new LoadModelVersionRequest
        {
            Name = Names.ModelVersion(call.Value(Model)!), WeightFormat = WeightFormatOption.Read(call.Value(Format)), Pinned = call.Value(Pinned),
        };
        using var client = call.Connect();
        var served = await client.Inference.LoadModelVersionAsync(request, cancellationToken: call.Ct);
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, served);
            return ExitCode.Ok;
        }

        Write(call, [served]);
        ParityLine.Write(call.Terminal, served);
        return ExitCode.Ok;
    }

    private static async Task<int> UnloadAsync(CommandCall call)
    {
        using var client = call.Connect();
        var name = Names.ModelVersion(call.Value(Model)!);
        await client.Inference.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = name }, cancellationToken: call.Ct);
        call.Terminal.Note($"{Names.Short(name)} is taken out of memory.");
        return ExitCode.Ok;
    }

    private static async Task<int> ListAsync(CommandCall call)
    {
        using var client = call.Connect();
        var response = await client.Inference.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: call.Ct);
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, response);
            return ExitCode.Ok;
        }

        Write(call, response.ServedModels);
        return ExitCode.Ok;
    }

    private static void Write(CommandCall call, IEnumerable<ServedModel> models)
    {
        var grid = new Grid("model", "weights", "memory", "pinned", "running", "agrees with float32");
        foreach (var model in models)
        {
            grid.Add(
                Names.Short(model.ModelVersion),
                WeightFormatOption.NameOf(model.WeightFormat),
                Formats.Size(model.DeviceBytes),
                model.Pinned ? "yes" : "no",
                model.RunningCount.ToString(CultureInfo.InvariantCulture),
                model.Parity is { } parity ? parity.TokenAgreement.ToString("P1", CultureInfo.InvariantCulture) : "-");
        }

        grid.WriteTo(call.Terminal);
    }
}
