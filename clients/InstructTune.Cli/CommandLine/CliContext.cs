using InstructTune.Cli.Output;

namespace InstructTune.Cli.CommandLine;

/// <summary>What every command gets from the process it runs in; tests give their own.</summary>
internal sealed record CliContext(Terminal Terminal, Interrupts Interrupts, TimeProvider Time);
