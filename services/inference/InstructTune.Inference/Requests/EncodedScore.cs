namespace InstructTune.Inference.Requests;

/// <summary>An item as ids, cut to the model's context.</summary>
internal sealed record EncodedScore(int[] Context, int[] Continuation)
{
    /// <summary>Of a text: Unicode code points.</summary>
    public int CharacterCount { get; init; }

    /// <summary>Of a text: bytes of UTF-8.</summary>
    public int ByteCount { get; init; }

    public int TruncatedCount { get; init; }

    /// <summary>Whether a token spans the border of context and continuation.</summary>
    public bool IsMerged { get; init; }

    /// <summary>Ids to be reported as first token after the context.</summary>
    public IReadOnlyList<int> Labels { get; init; } = [];

    /// <summary>The last token of the continuation is scored and never computed.</summary>
    public int ComputedTokens => Context.Length + Math.Max(1, Continuation.Length) - 1;

    /// <summary>Drops the beginning of the context so that the item fits; null when even one token of context is too much.</summary>
    public EncodedScore? TruncateTo(int contextTokens)
    {
        var surplus = ComputedTokens - contextTokens;
        if (surplus <= 0)
        {
            return this;
        }
        return surplus >= Context.Length ? null : this with { Context = Context[surplus..], TruncatedCount = surplus };
    }
}
