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
    // A step and a checkpoint fit; work that hangs must not keep the process.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(20);

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private volatile bool _isAbandoned;

    public TrainingThread(IOptions<TorchOptions> torch)
    {
        NativeHeap.KeepFreedBlocks();
        _work.Add(torch.Value.Pin);
        _thread = new Thread(Loop) { IsBackground = true, Name = "training" };
        _thread.Start();
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

    /// <summary>The thread hangs: nothing waits for its end.</summary>
    public void Abandon() => _isAbandoned = true;

    /// <summary>
    /// Returns when the thread has ended: a process that takes its libraries down while one of its threads computes in them ends with a segmentation fault.
    /// </summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        if (!_isAbandoned)
        {
            _thread.Join(LongestEnd);
        }
    }

    private void Loop()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            work();
        }

        _work.Dispose();
    }
}
