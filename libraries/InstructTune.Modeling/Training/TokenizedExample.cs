namespace InstructTune.Modeling.Training;

/// <summary>One row as the loss sees it: token ids, and which of them are learnt.</summary>
/// <param name="Ids">Token ids, without padding.</param>
/// <param name="Trained">As long as <paramref name="Ids"/>: whether the token carries loss.</param>
public sealed record TokenizedExample(int[] Ids, bool[] Trained)
{
    /// <summary>Tokens that carry loss. The first token of a row is never predicted, so it never counts.</summary>
    public int TrainedTokenCount { get; } = Count(Ids, Trained);

    /// <summary>Tokens of each example that shares this row; null for a row of one example. Examples do not see each other.</summary>
    public IReadOnlyList<int>? SegmentTokens { get; init; }

    /// <summary>One row of several examples. The last token of one never predicts the first of the next.</summary>
    public static TokenizedExample Pack(IReadOnlyList<TokenizedExample> examples) => new(
        [.. examples.SelectMany(example => example.Ids)],
        [.. examples.SelectMany(example => example.Trained.Select((isTrained, token) => isTrained && token > 0))])
    {
        SegmentTokens = [.. examples.Select(example => example.Ids.Length)],
    };

    private static int Count(int[] ids, bool[] trained)
    {
        if (ids.Length != trained.Length)
        {
            throw new ArgumentException($"{ids.Length} ids but {trained.Length} marks; one mark for each id is needed", nameof(trained));
        }

        return trained.Skip(1).Count(isTrained => isTrained);
    }
}
