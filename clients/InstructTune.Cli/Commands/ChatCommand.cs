using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Specs;
using InstructTune.Client;
using InstructTune.V1;
using Turn = InstructTune.V1.Conversation.Types.Turn;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune chat</c>: a conversation in the terminal that keeps its turns.</summary>
internal static class ChatCommand
{
    private static readonly Option<string?> System = new("--system") { Description = "What the model is told before the first turn.", HelpName = "TEXT" };

    public static Command Create(CliContext context)
    {
        var flags = new SamplingFlags();
        var command = new Command("chat", "Talks with a model. /reset forgets the turns, /exit or Ctrl+D ends.").With(ModelOption.Instance, System);
        return flags.AddTo(command).WithAction(context, call => RunAsync(call, flags));
    }

    private static async Task<int> RunAsync(CommandCall call, SamplingFlags flags)
    {
        using var client = call.Connect();
        var name = Names.ModelVersion(call.Value(ModelOption.Instance)!);
        // Asked at once, so that a wrong name is not found out after the first turn is typed.
        var model = await client.Models.GetModelVersionAsync(new() { Name = name }, cancellationToken: call.Ct);
        var isTyped = call.Terminal.IsInputTerminal;
        if (isTyped)
        {
            call.Terminal.Note($"{Names.Short(model.Name)}. /reset forgets the turns, /exit or Ctrl+D ends.");
        }

        var turns = Opening(call);
        while (await ReadAsync(call, isTyped) is { } line)
        {
            switch (line.Trim())
            {
                case "":
                    break;
                case "/exit" or "/quit":
                    return ExitCode.Ok;
                case "/reset":
                    turns = Opening(call);
                    call.Terminal.Note("Forgotten.");
                    break;
                default:
                    await AnswerAsync(call, client, (flags, flags.Read(call, model.Name)), turns, line);
                    break;
            }
        }

        return ExitCode.Ok;
    }

    private static async Task AnswerAsync(
        CommandCall call, InstructTuneClient client, (SamplingFlags Flags, GenerateRequest Request) how, List<Turn> turns, string line)
    {
        turns.Add(new Turn { Role = "user", Text = line });
        var (flags, request) = how;
        request.Conversation = new Conversation { Turns = { turns } };
        try
        {
            var answer = await flags.AskAsync(call, request, () => AnswerStream.WriteAsync(client, call.Terminal, request, call.Ct));
            turns.Add(new Turn { Role = "assistant", Text = answer });
        }
        catch (InstructTuneException e) when (call.Terminal.IsInputTerminal && e.Reason is "PROMPT_TOO_LONG" or "QUEUE_FULL")
        {
            // A person can shorten or wait; a pipe gets the error and its exit code.
            turns.RemoveAt(turns.Count - 1);
            call.Terminal.Note(ErrorText.Of(e) + (e.Reason == "PROMPT_TOO_LONG" ? " /reset forgets the turns so far." : ""));
        }
    }

    private static async Task<string?> ReadAsync(CommandCall call, bool isTyped)
    {
        if (isTyped)
        {
            call.Terminal.Out.Write("> ");
            call.Terminal.Out.Flush();
        }

        // The console's reader blocks and cannot be cancelled: Ctrl+C leaves it behind.
        return await Task.Run(call.Terminal.In.ReadLine, CancellationToken.None).WaitAsync(call.Ct);
    }

    private static List<Turn> Opening(CommandCall call) =>
        call.Value(System) is { Length: > 0 } text ? [new Turn { Role = "system", Text = text }] : [];
}
