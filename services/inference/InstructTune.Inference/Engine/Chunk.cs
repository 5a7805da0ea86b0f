using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>Positions <c>From..To</c> of one sequence, computed in one step. Keys are read up to <c>To</c>.</summary>
internal readonly record struct Chunk(Sequence Sequence, int From, int To)
{
    public int Rows => To - From;
}

/// <summary>A token whose log-probability is wanted, given everything up to and including a position.</summary>
internal readonly record struct ScoreTarget(int Position, int TokenId);

/// <summary>What a chunk must bring back: the logits of its last row, to sample from, or the scores of some tokens, or nothing.</summary>
internal readonly record struct ChunkWants(bool LastLogits, IReadOnlyList<ScoreTarget> Targets)
{
    /// <summary>Tokens to be told about with their rivals.</summary>
    public IReadOnlyList<ScoreTarget> Reports { get; init; } = [];

    public ReportWish Wish { get; init; } = ReportWish.None;

    public static ChunkWants Nothing { get; } = new(LastLogits: false, []);

    public static ChunkWants Logits { get; } = new(LastLogits: true, []);
}

/// <summary>A natural log-probability, and whether no other token was likelier (equal ones: none with a lower id).</summary>
internal readonly record struct TokenScore(double Logprob, bool IsBest)
{
    /// <summary>Null where they were not asked for.</summary>
    public TokenReport? Report { get; init; }

    /// <summary>From a report with one alternative at least.</summary>
    public static TokenScore Of(TokenReport report) =>
        new(report.Chosen.Logprob, report.Alternatives[0].TokenId == report.Chosen.TokenId) { Report = report };
}

/// <summary>What is told about a token: how many of its likeliest rivals, and which ids in any case.</summary>
internal sealed record ReportWish(int Alternatives, IReadOnlyList<int> TokenIds)
{
    public static ReportWish None { get; } = new(0, []);
}

/// <summary>
/// Answer to <see cref="ChunkWants"/>, in managed memory: no tensor leaves the runner. The logits to sample from are those of tokens; the
/// rest of a row, which normalizes log-probabilities, belongs to rows of the embedding without a token.
/// </summary>
internal readonly record struct ChunkOutput(ReadOnlyMemory<float> Logits_V, IReadOnlyList<TokenScore> Scores)
{
    public ReadOnlyMemory<float> WholeRow { get; init; } = Logits_V;

    public IReadOnlyList<TokenReport> Reports { get; init; } = [];

    public static ChunkOutput Nothing { get; } = new(default, []);
}
