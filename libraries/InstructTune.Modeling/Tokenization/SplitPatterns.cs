namespace InstructTune.Modeling.Tokenization;

/// <summary>The split patterns that have a scanner of their own, and the general way for all others.</summary>
internal static class SplitPatterns
{
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Qwen2 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <exception cref="ArgumentException">.NET does not understand the expression.</exception>
    public static PreTokenizerStep Step(string pattern) => pattern switch
    {
        Gpt2 => new ScannerStep(new Gpt2Scanner()),
        Llama3 => new ScannerStep(new Llama3Scanner(digits: 3)),
        Qwen2 => new ScannerStep(new Llama3Scanner(digits: 1)),
        _ => new RegexStep(new UnicodeRegex(pattern)),
    };
}
