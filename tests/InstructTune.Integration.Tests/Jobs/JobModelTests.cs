using CsCheck;
using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobModelTests(StoreFixture stores)
{
    // 200 x 40 commands a store in every run; more for a night: INSTRUCTTUNE_MODEL_RUNS.
    private const int CommandsPerRun = 40;

    private static readonly long Runs = long.TryParse(Environment.GetEnvironmentVariable("INSTRUCTTUNE_MODEL_RUNS"), out var runs) ? runs : 200;

    [Theory]
    [EachStore]
    public async Task Random_commands_do_to_the_store_what_they_do_to_the_specification(StoreKind kind)
    {
        await stores.ConnectionAsync(kind);
        await JobCommand.Gen.List[1, CommandsPerRun].SampleAsync(commands => CompareAsync(kind, commands), iter: Runs, threads: 1);
    }

    private async Task CompareAsync(StoreKind kind, List<JobCommand> commands)
    {
        var real = new RealQueue(await JobQueue.OpenAsync(stores, kind));
        var model = new ModelQueue();
        foreach (var command in commands)
        {
            var before = model.Jobs.GetValueOrDefault(command.Id);
            var expected = model.Apply(command);
            var actual = await real.ApplyAsync(command, before);
            if (!Equals(expected, actual))
            {
                throw new InvalidOperationException($"{command}: expected {expected ?? "nothing"}, got {actual ?? "nothing"}.");
            }
        }

        foreach (var (id, job) in model.Jobs)
        {
            await CompareAsync(real, model, id, job);
        }
    }

    private static async Task CompareAsync(RealQueue real, ModelQueue model, string id, JobSnapshot expected)
    {
        var actual = await real.GetAsync(id);
        Assert.Equal(
            (expected.State, expected.Attempt, expected.Failures, expected.OutOfMemoryRetries, expected.Checkpoint, expected.Step),
            (actual.State, actual.Attempt, actual.Failures, actual.OutOfMemoryRetries, actual.Checkpoint, actual.Step));
        Assert.Equal(
            (expected.Result, expected.ErrorReason, expected.LastSequence), (actual.Result, actual.Error?.Reason ?? "", actual.LastSequence));
        Assert.Equal(
            (expected.Priority, expected.Cause, expected.IsCheckpointAsked), (actual.Priority, actual.CancelCause, actual.IsCheckpointAsked));
        Assert.Equal(model.Chain(id), await real.ChainAsync(id));
        InvariantChecker.CheckHistory(actual, await real.EventsAsync(id));
    }
}
