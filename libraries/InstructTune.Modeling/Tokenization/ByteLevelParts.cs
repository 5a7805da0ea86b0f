using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Parts of byte-level tokenizers that no tokenizer.json describes.</summary>
internal static class ByteLevelParts
{
    public static TokenizerParts Build(string file, Vocabulary vocabulary, WordSplit split, bool ignoreMerges, IReadOnlyList<AddedToken> added) => new()
    {
        File = file,
        AddedTokens = added,
        Normalizer = new TextNormalizer(split == WordSplit.Qwen2 ? [new UnicodeFormStep(NormalizationForm.FormC)] : []),
        PreTokenizer = new PreTokenizer(Steps(split), isByteLevel: true),
        Model = new BytePairModel(vocabulary, new BytePairRules
        {
            ByteLevel = true,
            IgnoreMerges = ignoreMerges,
            Unspeakable = added.Where(t => t.Special).Select(t => t.Id).ToHashSet(),
        }),
        PostProcessor = PostProcessor.Nothing,
        Decoder = new TokenDecoder(IsByteLevel: true, '\0', StripsFirstSpace: false),
    };

    private static IEnumerable<PreTokenizerStep> Steps(WordSplit split) => split switch
    {
        WordSplit.Gpt2 => [SplitPatterns.Step(SplitPatterns.Gpt2)],
        WordSplit.Llama3 => [SplitPatterns.Step(SplitPatterns.Llama3)],
        WordSplit.Qwen2 => [SplitPatterns.Step(SplitPatterns.Qwen2)],
        WordSplit.SmolLm2 => [new ScannerStep(new DigitScanner(individual: true)), SplitPatterns.Step(SplitPatterns.Gpt2)],
        _ => throw new ArgumentOutOfRangeException(nameof(split), split, message: null),
    };
}
