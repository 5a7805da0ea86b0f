using System.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;

namespace InstructTune.Cli.CommandLine;

/// <summary>One run of one command.</summary>
internal sealed record CommandCall(CliContext Context, ParseResult Result, CancellationToken Ct)
{
    public Terminal Terminal => Context.Terminal;

    public bool IsJson => Result.GetValue(GlobalOptions.Json);

    public T? Value<T>(Option<T> option) => Result.GetValue(option);

    public T? Value<T>(Argument<T> argument) => Result.GetValue(argument);

    public bool Has(Option option) => Result.GetResult(option) is { Implicit: false };

    public InstructTuneClient Connect() =>
        InstructTuneClient.Connect(Result.GetValue(GlobalOptions.Server), Result.GetValue(GlobalOptions.ApiKey));
}

internal static class CommandActions
{
    public static Command WithAction(this Command command, CliContext context, Func<CommandCall, Task<int>> action)
    {
        command.SetAction((result, ct) => action(new CommandCall(context, result, ct)));
        return command;
    }

    public static Command With(this Command command, params Symbol[] symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Command child:
                    command.Add(child);
                    break;
                case Option option:
                    command.Add(option);
                    break;
                case Argument argument:
                    command.Add(argument);
                    break;
            }
        }

        return command;
    }
}
