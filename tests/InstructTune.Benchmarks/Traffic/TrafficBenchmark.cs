using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using InstructTune.Benchmarks.Serving;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>The inference service as its users meet it: a process of its own, real gRPC, streams that come, go and ask for adapters.</summary>
internal static class TrafficBenchmark
{
    public static void Run(string[] args) => RunAsync(TrafficOptions.Read(args)).GetAwaiter().GetResult();

    private static async Task RunAsync(TrafficOptions options)
    {
        if (!File.Exists(Path.Combine(options.Models, ServingModel.SmolLm, "ready")))
        {
            Console.WriteLine($"Skipped: {options.Models} has no {ServingModel.SmolLm}. `eng/run bench-serving` makes it from the weights of SmolLM2-135M-Instruct beside the reference data.");
            return;
        }

        var rows = new Regex(options.Rows, RegexOptions.None, TimeSpan.FromSeconds(1));
        var machine = new IdleMachine(options.LongestRest);
        var floors = new Floors();
        await using var store = await TrafficStore.MakeAsync(Path.GetFullPath(Path.Combine("artifacts", "bench-traffic")), options.Models);
        using var server = await StartRows.RunAsync(options, store, machine);
        // The registry's host takes signals for itself; without this the run would go on without it.
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var termination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await await Task.WhenAny(RunRowsAsync(), stopped.Task);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nRSS at the end: {server.ResidentBytes / 1e6:F0} MB."));
        Console.WriteLine(Fingerprint(options, store, machine));
        Console.WriteLine("\n### Floors\n\n" + floors);
        Environment.ExitCode = floors.AreMet ? Environment.ExitCode : 1;

        void Stop(PosixSignalContext context) => stopped.TrySetException(new OperationCanceledException($"{context.Signal} ended the run."));

        async Task RunRowsAsync()
        {
            Progress("warm-up");
            await WarmUp.RunAsync(options, server);
            // First of all: nothing of the adapters may have been used before.
            await RowAsync("first use", () => new FirstUseRows(options, store, server, machine).RunAsync(floors));
            Progress("tokens in company");
            var (equal, requests) = await CompanyCheck.RunAsync(server, options.FirstUses);
            floors.Add("the same greedy tokens alone and in company, an adapter each", $"{equal} of {requests} requests", equal == requests);
            await RowAsync("adapters", () => new AdapterRows(options, server, machine).RunAsync(floors));
            await RowAsync("arrivals", () => new ArrivalRows(options, server, machine).RunAsync());
            await RowAsync("prefix", () => new PrefixRows(options, server, machine).RunAsync());
            await RowAsync("slots", () => new SlotRows(options, server, machine).RunAsync(floors));
        }

        async Task RowAsync(string name, Func<Task> runAsync)
        {
            if (rows.IsMatch(name))
            {
                Progress(name);
                await runAsync();
            }
        }
    }

    private static void Progress(string name) => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{RunClock.Now,5:F0} s: {name}"));

    private static string Fingerprint(TrafficOptions options, TrafficStore store, IdleMachine machine)
    {
        var cpu = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim();
        return string.Create(CultureInfo.InvariantCulture, $"""

            {ServingModel.SmolLm} from its Q8_0 file served as {options.WeightFormat}, content {store.BaseSha256[..12]}; adapters of rank 16 on all linear layers; settings of the service as they come.
            {cpu}, {Environment.ProcessorCount} threads of the server, the callers and the registry on the same processors; {RuntimeInformation.FrameworkDescription}, commit {options.Commit}; {RunClock.Now:F0} s in all
            {machine}
            """);
    }
}
