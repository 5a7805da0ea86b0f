using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var interrupts = new Interrupts();
interrupts.ListenToSignals();
return await new CliApplication(new CliContext(Terminal.OfProcess(), interrupts, TimeProvider.System)).RunAsync(args);
