using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>A request whose model needs no tensors: after its prompt it knows one more token per step.</summary>
internal sealed class SimulatedSequence : Sequence
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _totalTokens;
    private readonly CancellationTokenSource _cancellation;
    private readonly int[]? _promptIds;

    public SimulatedSequence(
        string baseKey,
        long order,
        int promptTokens,
        int outputTokens,
        int failsAt = -1,
        Standing? standing = null,
        int[]? promptIds = null,
        string? adapterKey = null)
        : this(
            new CancellationTokenSource(),
            new ModelKey(baseKey, adapterKey),
            new SimulatedSize(promptTokens, outputTokens),
            (order, failsAt, standing ?? Standing.Default, promptIds))
    {
    }

    private SimulatedSequence(
        CancellationTokenSource cancellation, ModelKey key, SimulatedSize size, (long Arrived, int FailsAt, Standing Standing, int[]? Ids) what)
        : base(
            key,
            new RequestLife(what.Arrived, 1, () => { }, () => { }, cancellation.Token) { Standing = what.Standing },
            size.PromptTokens + size.OutputTokens - 1)
    {
        _cancellation = cancellation;
        _totalTokens = size.PromptTokens + size.OutputTokens;
        (FailsAt, _promptIds, PromptTokens) = (what.FailsAt, what.Ids, size.PromptTokens);
        Known = PromptTokens;
    }

    public override int PromptTokens { get; }

    /// <summary>Computing up to here fails.</summary>
    public int FailsAt { get; }

    public bool Seen { get; set; }

    /// <summary>Tokens that came out; a preemption changes nothing about them.</summary>
    public int Outputs { get; private set; }

    /// <summary>How often the caller was told that it is over; at most once.</summary>
    public int Ends { get; private set; }

    public Task Done => _done.Task;

    protected override bool RepeatsSingly => true;

    public void Cancel() => _cancellation.Cancel();

    /// <summary>Outputs depend on the length only, so that two runs of one prompt agree.</summary>
    public override int TokenAt(int position) => position < (_promptIds?.Length ?? 0) ? _promptIds![position] : position;

    public override ChunkWants WantsOf(int from, int to) => ChunkWants.Nothing;

    protected override void Take(int to, ChunkOutput output, long now)
    {
        if (Computed < Known)
        {
            return;
        }
        Outputs++;
        if (++Known == _totalTokens)
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

    private sealed record SimulatedSize(int PromptTokens, int OutputTokens);
}
