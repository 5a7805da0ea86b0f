using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>
/// One context and the continuations to score after it. The context is computed once; each continuation is then written over the one
/// before, in the same slot, from the same position. So an item has the same score alone as beside others.
/// </summary>
internal sealed class ScoreSequence : Sequence
{
    private readonly int[] _context;
    private readonly IReadOnlyList<Continuation> _continuations;
    private readonly int _alternatives;
    private readonly ContinuationScore[] _scores;
    private readonly TaskCompletionSource<IReadOnlyList<ContinuationScore>> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The continuation in the slot, or -1 while the context is computed.</summary>
    private int _current = -1;

    /// <param name="model">Who scores.</param>
    /// <param name="life">Of the request.</param>
    /// <param name="context">At least one id.</param>
    /// <param name="continuations">At least one; they may be empty.</param>
    /// <param name="alternatives">How many of the likeliest tokens are told with every one.</param>
    public ScoreSequence(ModelKey model, RequestLife life, int[] context, IReadOnlyList<Continuation> continuations, int alternatives = 0)
        : base(model, life, TokensNeeded(context.Length, continuations.Max(c => c.TokenIds.Length)))
    {
        (_context, _continuations, _alternatives) = (context, continuations, alternatives);
        _scores = [.. continuations.Select(c => new ContinuationScore(new TokenScore[c.TokenIds.Length], new double[c.Labels.Count]))];
        Known = context.Length;
    }

    public override int PromptTokens => _context.Length;

    /// <summary>For each continuation its scores.</summary>
    public Task<IReadOnlyList<ContinuationScore>> Result => _result.Task;

    /// <summary>Whether the row after the context is told about as a whole.</summary>
    private bool ReportsFirst => _alternatives > 0 || _continuations.Any(c => c.Labels.Count > 0);

    /// <summary>The last token of a continuation is scored and never computed.</summary>
    public static int TokensNeeded(int contextTokens, int continuationTokens) => contextTokens + Math.Max(1, continuationTokens) - 1;

    public override int TokenAt(int position) =>
        position < _context.Length ? _context[position] : _continuations[_current].TokenIds[position - _context.Length];

    public override ChunkWants WantsOf(int from, int to)
    {
        if (_current < 0)
        {
            return to < _context.Length ? ChunkWants.Nothing : WantsOfFirst();
        }
        if (to <= _context.Length)
        {
            // The context once more, after a preemption.
            return ChunkWants.Nothing;
        }
        var ids = _continuations[_current].TokenIds;
        ScoreTarget[] targets = [.. Enumerable.Range(from, to - from).Select(p => new ScoreTarget(p, ids[p + 1 - _context.Length]))];
        return _alternatives > 0
            ? ChunkWants.Nothing with { Reports = targets, Wish = new ReportWish(_alternatives, []) }
            : new ChunkWants(LastLogits: false, targets);
    }

    protected override void Take(int to, ChunkOutput output, long now)
    {
        TokenScore[] scores = [.. output.Scores, .. output.Reports.Select(TokenScore.Of)];
        if (scores.Any(score => double.IsNaN(score.Logprob)))
        {
            throw new NonFiniteLogitsException("A log-probability is not a number.");
        }
        if (_current >= 0 && to > _context.Length)
        {
            scores.CopyTo(_scores[_current].Tokens, to - scores.Length + 1 - _context.Length);
        }
        else if (_current < 0 && to == _context.Length)
        {
            TakeFirst(output);
        }
        if (Computed == Known)
        {
            NextContinuation();
        }
    }

    protected override void Report(Exception exception) => _result.TrySetException(exception);

    /// <summary>One row tells of all first tokens and labels: with the likeliest, or one by one.</summary>
    private ChunkWants WantsOfFirst()
    {
        var last = _context.Length - 1;
        return ReportsFirst
            ? ChunkWants.Nothing with
            {
                Reports = [new ScoreTarget(last, 0)],
                Wish = new ReportWish(Math.Max(1, _alternatives), [.. _continuations.SelectMany(c => c.TokenIds.Take(1).Concat(c.Labels))]),
            }
            : new ChunkWants(LastLogits: false, [.. _continuations.Where(c => c.TokenIds.Length > 0).Select(c => new ScoreTarget(last, c.TokenIds[0]))]);
    }

    private void TakeFirst(ChunkOutput output)
    {
        if (!ReportsFirst)
        {
            foreach (var (score, at) in output.Scores.Zip(_scores.Where(score => score.Tokens.Length > 0)))
            {
                at.Tokens[0] = score;
            }
            return;
        }
        var all = output.Reports[0].Alternatives;
        var byId = new Queue<TokenLogprob>(all.TakeLast(_continuations.Sum(c => Math.Min(1, c.TokenIds.Length) + c.Labels.Count)));
        TokenLogprob[] likeliest = [.. all.Take(all.Count - byId.Count)];
        foreach (var score in _scores)
        {
            if (score.Tokens.Length > 0)
            {
                var report = TokenScore.Of(new TokenReport(byId.Dequeue(), likeliest));
                score.Tokens[0] = _alternatives > 0 ? report : report with { Report = null };
            }
            for (var i = 0; i < score.Labels.Length; i++)
            {
                score.Labels[i] = byId.Dequeue().Logprob;
            }
        }
    }

    private void NextContinuation()
    {
        do
        {
            _current++;
        }
        while (_current < _continuations.Count && _continuations[_current].TokenIds.Length < 2);
        if (_current == _continuations.Count)
        {
            End();
            _result.TrySetResult(_scores);
            return;
        }
        Rewind(_context.Length);
        Known = _context.Length + _continuations[_current].TokenIds.Length - 1;
    }
}
