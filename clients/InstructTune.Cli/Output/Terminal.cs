using Spectre.Console;

namespace InstructTune.Cli.Output;

/// <summary>
/// Where a command writes. Results go to <see cref="Out"/>, progress and errors to <see cref="Error"/>. Rich output is used
/// only where a person looks: a piped stream gets plain lines.
/// </summary>
internal sealed class Terminal
{
    public Terminal(TextWriter output, TextWriter error, TextReader input, bool isRich = false, bool isInputTerminal = false)
    {
        Out = output;
        Error = error;
        In = input;
        IsRich = isRich;
        IsInputTerminal = isInputTerminal;
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public TextReader In { get; }

    /// <summary>Standard output is a terminal that shows tables with borders.</summary>
    public bool IsRich { get; }

    /// <summary>Somebody types.</summary>
    public bool IsInputTerminal { get; }

    /// <summary>The console for progress bars; null where standard error is no terminal.</summary>
    public IAnsiConsole? Progress { get; private init; }

    public static Terminal OfProcess()
    {
        var isRich = !Console.IsOutputRedirected;
        var isDumb = string.Equals(Environment.GetEnvironmentVariable("TERM"), "dumb", StringComparison.Ordinal);
        return new Terminal(Console.Out, Console.Error, Console.In, isRich && !isDumb, !Console.IsInputRedirected)
        {
            Progress = Console.IsErrorRedirected || isDumb
                ? null
                : AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }),
        };
    }

    /// <summary>A line about what goes on, beside the result.</summary>
    public void Note(string line) => Error.WriteLine(line);
}
