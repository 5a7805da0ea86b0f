using System.Collections.Concurrent;
using InstructTune.Modeling.Training;
using Microsoft.Extensions.Options;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// The one thread of the trainer that touches tensors. Two threads in libtorch at once are slower than one, and a tensor scope left open across
/// an await leaks.
/// </summary>
internal sealed class TrainingThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];

    public TrainingThread(IOptions<TorchOptions> torch)
    {
        NativeHeap.KeepFreedBlocks();
        _work.Add(torch.Value.Pin);
        var thread = new Thread(Loop) { IsBackground = true, Name = "training" };
        thread.Start();
    }

    /// <summary>Runs the work on the thread, after what was asked for before.</summary>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        // The caller's trace goes with the work.
        var context = ExecutionContext.Capture()!;
        _work.Add(() => ExecutionContext.Run(context, _ =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (OperationCanceledException exception)
            {
                done.SetCanceled(exception.CancellationToken);
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }, null));
        return done.Task;
    }

    public void Dispose() => _work.CompleteAdding();

    private void Loop()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            work();
        }

        _work.Dispose();
    }
}
