namespace InstructTune.Modeling.Tokenization;

/// <summary>What a tokenizer consists of, whatever file it came from.</summary>
internal sealed record TokenizerParts
{
    /// <summary>The file that refusals name.</summary>
    public required string File { get; init; }

    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }

    public required TextNormalizer Normalizer { get; init; }

    public required PreTokenizer PreTokenizer { get; init; }

    public required BytePairModel Model { get; init; }

    public required PostProcessor PostProcessor { get; init; }

    public required TokenDecoder Decoder { get; init; }
}
