using CsCheck;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobModelTests(StoreFixture stores)
{
    // 200 x 20 commands a store in every run; more for a night: INSTRUCTTUNE_MODEL_RUNS.
    private const int CommandsPerRun = 40;

    private static readonly long Runs = long.TryParse(Environment.GetEnvironmentVariable("INSTRUCTTUNE_MODEL_RUNS"), out var runs) ? runs : 200;

    [Theory]
    [EachStore]
    public async Task Random_commands_do_to_the_store_what_they_do_to_the_specification(StoreKind kind)
    {
        await stores.ConnectionAsync(kind);
        await JobCommand.Gen.List[1, CommandsPerRun].SampleAsync(async commands => await ModelComparison.RunAsync(await JobQueue.OpenAsync(stores, kind), commands), iter: Runs, threads: 1);
    }
}
