using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>Does the same commands to the specification and to a store, and compares every answer, then every job and its history.</summary>
internal static class ModelComparison
{
    public static async Task RunAsync(JobQueue queue, IEnumerable<JobCommand> commands)
    {
        var real = new RealQueue(queue);
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
