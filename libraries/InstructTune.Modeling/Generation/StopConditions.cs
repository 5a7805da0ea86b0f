namespace InstructTune.Modeling.Generation;

/// <summary>Why a text ended.</summary>
public enum StopReason
{
    /// <summary>It goes on.</summary>
    None,

    /// <summary>The model ended it.</summary>
    EndOfText,

    /// <summary>A stop token of the request came.</summary>
    StopToken,

    /// <summary>A stop sequence of the request was completed.</summary>
    StopSequence,

    /// <summary>The limit of output tokens, or the context, is used up.</summary>
    Length,
}

/// <summary>When a sequence ends. The first condition that holds counts, in the order of <see cref="StopReason"/>.</summary>
/// <param name="EndOfTextIds">Of the model.</param>
/// <param name="StopTokenIds">Of the request.</param>
/// <param name="StopSequences">Of the request.</param>
/// <param name="MinTokens">Until so many tokens were made only the length ends a text.</param>
/// <param name="MaxTokens">At least 1: the smaller of the request's limit and what the context has room for.</param>
public sealed record StopConditions(
    IReadOnlyCollection<int> EndOfTextIds,
    IReadOnlyCollection<int> StopTokenIds,
    IReadOnlyList<string> StopSequences,
    int MinTokens,
    int MaxTokens)
{
    /// <summary>Whether the stop sequence that ends a text is part of it.</summary>
    public bool IncludeStopSequence { get; init; }

    /// <summary>Tokens that must not be drawn before <see cref="MinTokens"/>.</summary>
    public IEnumerable<int> EndIds => EndOfTextIds.Concat(StopTokenIds);

    /// <summary>Whether stop tokens and sequences count yet.</summary>
    public bool MayStop(int outputCount) => outputCount >= MinTokens;

    /// <summary>What a token means by itself, before its text is looked at.</summary>
    public StopReason OfToken(int id, int outputCount)
    {
        if (!MayStop(outputCount))
        {
            return StopReason.None;
        }

        return EndOfTextIds.Contains(id) ? StopReason.EndOfText
            : StopTokenIds.Contains(id) ? StopReason.StopToken
            : StopReason.None;
    }

    /// <summary>Whether the limit is reached.</summary>
    public bool IsFull(int outputCount) => outputCount >= MaxTokens;
}
