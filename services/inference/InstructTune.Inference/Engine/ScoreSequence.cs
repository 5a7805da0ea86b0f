using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>
/// One context and the continuations to score after it. The context is computed once; each continuation is then written over the one
/// before, in the same slot, from the same position. So an item has the same score alone as beside others.
/// </summary>
internal sealed class ScoreSequence : Sequence
{
    private readonly int[] _context;
    private readonly IReadOnlyList<int[]> _continuations;
    private readonly TokenScore[][] _scores;
    private readonly TaskCompletionSource<IReadOnlyList<TokenScore[]>> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The continuation in the slot, or -1 while the context is computed.</summary>
    private int _current = -1;

    public ScoreSequence(ModelKey model, RequestLife life, int[] context, IReadOnlyList<int[]> continuations)
        : base(model, life, TokensNeeded(context.Length, continuations.Max(c => c.Length)))
    {
        _context = context;
        _continuations = continuations;
        _scores = [.. continuations.Select(continuation => new TokenScore[continuation.Length])];
        Known = context.Length;
    }

    public override int PromptTokens => _context.Length;

    /// <summary>For each continuation, the score of each of its tokens.</summary>
    public Task<IReadOnlyList<TokenScore[]>> Result => _result.Task;

    /// <summary>The last token of a continuation is scored and never computed.</summary>
    public static int TokensNeeded(int contextTokens, int continuationTokens) => contextTokens + Math.Max(1, continuationTokens) - 1;

    public override int TokenAt(int position) =>
        position < _context.Length ? _context[position] : _continuations[_current][position - _context.Length];

    public override ChunkWants WantsOf(int from, int to)
    {
        if (_current >= 0 && to <= _context.Length)
        {
            // The context once more, after a preemption.
            return ChunkWants.Nothing;
        }
        if (_current >= 0)
        {
            var continuation = _continuations[_current];
            return new ChunkWants(
                LastLogits: false,
                [.. Enumerable.Range(from, to - from).Select(p => new ScoreTarget(p, continuation[p + 1 - _context.Length]))]);
        }
        return to < _context.Length
            ? ChunkWants.Nothing
            : new ChunkWants(
                LastLogits: false,
                [.. _continuations.Where(c => c.Length > 0).Select(c => new ScoreTarget(_context.Length - 1, c[0]))]);
    }

    protected override void Take(int to, ChunkOutput output, long now)
    {
        if (output.Scores.Any(score => double.IsNaN(score.Logprob)))
        {
            throw new NonFiniteLogitsException("A log-probability is not a number.");
        }
        if (_current >= 0)
        {
            var first = to - output.Scores.Count;
            for (var i = 0; i < output.Scores.Count; i++)
            {
                _scores[_current][first + i + 1 - _context.Length] = output.Scores[i];
            }
        }
        else if (to == _context.Length)
        {
            TakeFirstTokens(output.Scores);
        }
        if (Computed == Known)
        {
            NextContinuation();
        }
    }

    protected override void Report(Exception exception) => _result.TrySetException(exception);

    private void TakeFirstTokens(IReadOnlyList<TokenScore> scores)
    {
        var next = 0;
        foreach (var (index, continuation) in _continuations.Index())
        {
            if (continuation.Length > 0)
            {
                _scores[index][0] = scores[next++];
            }
        }
    }

    private void NextContinuation()
    {
        do
        {
            _current++;
        }
        while (_current < _continuations.Count && _continuations[_current].Length < 2);
        if (_current == _continuations.Count)
        {
            End();
            _result.TrySetResult(_scores);
            return;
        }
        Rewind(_context.Length);
        Known = _context.Length + _continuations[_current].Length - 1;
    }
}
