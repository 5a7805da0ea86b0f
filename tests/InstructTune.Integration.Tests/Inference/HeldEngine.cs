using InstructTune.Modeling.Numerics;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>
/// An engine that computes a step when it is told to and none otherwise: what runs cannot be over before a test has looked at it, however
/// slow the machine is. Dispose it to let the engine go.
/// </summary>
internal sealed class HeldEngine(InferenceHost host) : IDisposable
{
    private DeviceTurns.Turn _turn = host.Turns.Enter(TestContext.Current.CancellationToken);

    /// <summary>Ends when the engine has computed that many steps and waits before another.</summary>
    public async Task StepAsync(int count = 1)
    {
        for (var step = 0; step < count; step++)
        {
            await WaitsAsync();
            // Turns are given in order of arrival: the engine, which waits for one, has it before this one comes back.
            _turn.Dispose();
            _turn = host.Turns.Enter(TestContext.Current.CancellationToken);
        }
        await WaitsAsync();
    }

    /// <summary>Computes step after step until a task that needs the engine has ended; something else runs longer.</summary>
    public async Task<T> StepUntilAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            await StepAsync();
        }
        return await task;
    }

    public void Dispose() => _turn.Dispose();

    private Task WaitsAsync() => Eventually.HoldsAsync(() => host.Turns.WaitingCount > 0, "the engine waits before a step");
}
