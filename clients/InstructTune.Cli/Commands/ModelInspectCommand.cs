using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Specs;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune model inspect</c>: what a model is prompted with, token by token, and what training learns of it.</summary>
internal static class ModelInspectCommand
{
    private static readonly Argument<string> Model = new("model") { Description = "NAME or NAME@VERSION." };
    private static readonly Option<string?> Prompt = new("--prompt", "--instruction") { Description = "An instruction.", HelpName = "TEXT" };
    private static readonly Option<string> Input = new("--input") { Description = "Context for the instruction.", DefaultValueFactory = _ => "" };
    private static readonly Option<string?> Response = new("--response") { Description = "The answer, as training would see it.", HelpName = "TEXT" };

    private static readonly Option<string?> Messages = new("--messages")
    {
        Description = "In place of an instruction: a JSON file with a list of {role, content, weight}, or an object with `messages`.",
        HelpName = "FILE",
    };

    public static Command Create(CliContext context) =>
        new Command("inspect", "Shows the rendered prompt, its tokens with their bytes, and the loss mask.")
            .With(Model, Prompt, Input, Response, Messages).WithAction(context, RunAsync);

    private static async Task<int> RunAsync(CommandCall call)
    {
        var request = await ReadAsync(call);
        using var client = call.Connect();
        var rendered = await client.Inference.RenderPromptAsync(request, cancellationToken: call.Ct);
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, rendered);
            return ExitCode.Ok;
        }

        PromptPicture.Write(call.Terminal, rendered);
        ParityLine.Write(call.Terminal, await FindServedAsync(client, rendered.ModelVersion, call.Ct));
        return ExitCode.Ok;
    }

    /// <summary>What is in memory is told to administrators: others do without.</summary>
    private static async Task<ServedModel?> FindServedAsync(InstructTuneClient client, string version, CancellationToken ct)
    {
        try
        {
            var served = await client.Inference.ListServedModelsAsync(new ListServedModelsRequest(), cancellationToken: ct);
            return served.ServedModels.FirstOrDefault(model => model.ModelVersion == version);
        }
        catch (InstructTuneException refused) when (string.Equals(refused.Reason, "ADMIN_KEY_REQUIRED", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private static async Task<RenderPromptRequest> ReadAsync(CommandCall call)
    {
        var request = new RenderPromptRequest { Model = Names.ModelVersion(call.Value(Model)!) };
        if (call.Value(Messages) is { } file)
        {
            request.Conversation = call.Value(Prompt) is null && call.Value(Response) is null
                ? await MessageFile.ReadAsync(file, call.Ct)
                : throw new CliException("--messages holds the whole conversation: leave out --prompt and --response.", ExitCode.Usage);
            return request;
        }

        request.Instruction = new Instruction
        {
            Instruction_ = call.Value(Prompt) ?? throw new CliException("Give --prompt TEXT, or --messages FILE.", ExitCode.Usage),
            Input = call.Value(Input)!,
        };
        if (call.Value(Response) is { } response)
        {
            request.Response = response;
        }

        return request;
    }
}
