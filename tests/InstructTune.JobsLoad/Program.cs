using System.Globalization;
using InstructTune.JobsLoad;
using InstructTune.Testing;

// garnet PORT FOLDER            serves a durable Garnet until it is killed: the child process of fault tests
// load [JOBS] [WORKERS] [SEED]  20,000 jobs with crashes and zombies on both stores
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
if (args is ["garnet", var port, var folder])
{
    using var server = new Garnet.GarnetServer(GarnetStore.Arguments(int.Parse(port, CultureInfo.InvariantCulture), folder, isDurable: true, isAtomic: true));
    server.Start();
    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
    return 0;
}

if (args is ["load", ..])
{
    var settings = LoadSettings.Parse(args[1..]);
    var isGood = true;
    foreach (var kind in Enum.GetValues<StoreKind>())
    {
        isGood &= await LoadRun.RunAsync(kind, settings);
    }

    return isGood ? 0 : 1;
}

await Console.Error.WriteLineAsync("Usage: InstructTune.JobsLoad load [JOBS] [WORKERS] [SEED] | garnet PORT FOLDER");
return 2;
