using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>A request whose model needs no tensors: after its prompt it knows one more token per step.</summary>
internal sealed class SimulatedSequence : Sequence
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _totalTokens;
    private readonly CancellationTokenSource _cancellation;

    public SimulatedSequence(string baseKey, long order, int promptTokens, int outputTokens, int failsAt = -1)
        : this(new CancellationTokenSource(), baseKey, order, promptTokens, outputTokens, failsAt)
    {
    }

    private SimulatedSequence(
        CancellationTokenSource cancellation, string baseKey, long order, int promptTokens, int outputTokens, int failsAt)
        : base(
            new ModelKey(baseKey, null),
            new RequestLife(order, 1, () => { }, () => { }, cancellation.Token),
            promptTokens + outputTokens - 1)
    {
        _cancellation = cancellation;
        _totalTokens = promptTokens + outputTokens;
        Order = order;
        FailsAt = failsAt;
        Known = promptTokens;
    }

    public long Order { get; }

    /// <summary>Computing up to here fails.</summary>
    public int FailsAt { get; }

    public bool Seen { get; set; }

    /// <summary>How often the caller was told that it is over; at most once.</summary>
    public int Ends { get; private set; }

    public Task Done => _done.Task;

    public void Cancel() => _cancellation.Cancel();

    public override int TokenAt(int position) => position;

    public override ChunkWants WantsOf(int from, int to) => ChunkWants.Nothing;

    protected override void Take(int to, ChunkOutput output, long now)
    {
        if (Computed == Known && ++Known == _totalTokens)
        {
            End();
            Ends++;
            _done.TrySetResult();
        }
    }

    protected override void Report(Exception exception)
    {
        Ends++;
        _done.TrySetException(exception);
    }
}
