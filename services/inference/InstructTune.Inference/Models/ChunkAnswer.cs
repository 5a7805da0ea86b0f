// Shape letters in this file:
//   V vocabulary

using InstructTune.Inference.Engine;
using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Models;

/// <summary>What a chunk brings back, gathered row by row: logits are read once, in the order of the step, and none but the last are kept.</summary>
internal sealed class ChunkAnswer
{
    private readonly Chunk _chunk;
    private readonly int _vocabularySize;
    private readonly ChunkWants _wants;
    private readonly ILookup<int, int> _targets;
    private readonly ILookup<int, int> _reported;
    private readonly TokenScore[] _scores;
    private readonly TokenReport[] _reports;

    public ChunkAnswer(Chunk chunk, int vocabularySize)
    {
        (_chunk, _vocabularySize) = (chunk, vocabularySize);
        _wants = chunk.Sequence.WantsOf(chunk.From, chunk.To);
        _targets = ByPosition(_wants.Targets);
        _reported = ByPosition(_wants.Reports);
        _scores = new TokenScore[_wants.Targets.Count];
        _reports = new TokenReport[_wants.Reports.Count];
    }

    /// <summary>Whether somebody draws from the last row.</summary>
    public bool Samples => _wants.LastLogits;

    /// <summary>Positions whose logits are read, in order.</summary>
    public IEnumerable<int> Wanted => Enumerable.Range(_chunk.From, _chunk.Rows).Where(Wants);

    public ReadOnlyMemory<float> LastRow { get; set; }

    public bool Wants(int position) => (Samples && position == _chunk.To - 1) || _targets.Contains(position) || _reported.Contains(position);

    public void Read(int position, ReadOnlySpan<float> logits_V)
    {
        foreach (var i in _targets[position])
        {
            var report = TokenReport.Of(logits_V, _wants.Targets[i].TokenId, 1, [], _vocabularySize);
            _scores[i] = TokenScore.Of(report) with { Report = null };
        }
        foreach (var i in _reported[position])
        {
            _reports[i] = TokenReport.Of(logits_V, _wants.Reports[i].TokenId, _wants.Wish.Alternatives, _wants.Wish.TokenIds, _vocabularySize);
        }
    }

    public ChunkOutput ToOutput() =>
        new(LastRow.Length == 0 ? LastRow : LastRow[.._vocabularySize], _scores) { WholeRow = LastRow, Reports = _reports };

    private static ILookup<int, int> ByPosition(IReadOnlyList<ScoreTarget> targets) => targets.Index().ToLookup(target => target.Item.Position, target => target.Index);
}
