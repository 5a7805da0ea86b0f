using System.Globalization;
using InstructTune.Standalone;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
try
{
    var options = StandaloneOptions.Parse(args);
    using var stop = new StopSignal(options.ExitOnStdinClose);
    await using var server = await StandaloneServer.StartAsync(options, stop.Token);
    Console.WriteLine($"InstructTune is ready at {server.Address}");
    await stop.WaitAsync();
    return 0;
}
catch (StartRefusedException refused)
{
    await Console.Error.WriteLineAsync(refused.Message);
    return 1;
}
catch (OperationCanceledException)
{
    // Asked to stop while it was still starting.
    return 0;
}
