namespace InstructTune.Modeling.Tokenization;

/// <summary>The `pre_tokenizer` of a tokenizer.json: cuts text into words that the model treats one by one.</summary>
internal sealed class PreTokenizer
{
    private readonly PreTokenizerStep[] _steps;

    public PreTokenizer(IEnumerable<PreTokenizerStep> steps, bool isByteLevel)
    {
        _steps = [.. steps];
        IsByteLevel = isByteLevel;
    }

    public bool IsByteLevel { get; }

    /// <summary>The known way to split that this is, if it is one.</summary>
    public WordSplit? KnownSplit => _steps switch
    {
        [ScannerStep { Scanner: Gpt2Scanner }] => WordSplit.Gpt2,
        [ScannerStep { Scanner: DigitScanner { Individual: true } }, ScannerStep { Scanner: Gpt2Scanner }] => WordSplit.SmolLm2,
        [ScannerStep { Scanner: Llama3Scanner { Digits: 3 } }] => WordSplit.Llama3,
        [ScannerStep { Scanner: Llama3Scanner { Digits: 1 } }] => WordSplit.Qwen2,
        _ => null,
    };

    public static PreTokenizer Read(JsonItem item)
    {
        var steps = new List<PreTokenizerStep>();
        var isByteLevel = !item.IsNull && Add(item, steps);
        return new PreTokenizer(steps, isByteLevel);
    }

    /// <summary>Encodes a text word by word.</summary>
    public void Run(ReadOnlySpan<char> text, PiecePlace place, BytePairModel model, EncodeScratch scratch)
    {
        if (!text.IsEmpty)
        {
            new PreTokenizerRun(_steps, model, scratch).Take(text, place);
        }
    }

    private static bool Add(JsonItem item, List<PreTokenizerStep> steps)
    {
        switch (item.Type)
        {
            case "Sequence":
                var isByteLevel = false;
                foreach (var part in item.Required("pretokenizers").Items())
                {
                    isByteLevel |= Add(part, steps);
                }

                return isByteLevel;
            case "Split":
                steps.Add(ReadSplit(item));
                return false;
            case "Digits":
                steps.Add(new ScannerStep(new DigitScanner(item.Flag("individual_digits"))));
                return false;
            case "ByteLevel":
                AddByteLevel(item, steps);
                return true;
            case "Metaspace":
                steps.Add(MetaspaceStep.Read(item));
                return false;
            default:
                throw item.Unsupported($"the pre-tokenizer `{item.Type}`");
        }
    }

    private static void AddByteLevel(JsonItem item, List<PreTokenizerStep> steps)
    {
        if (item.Flag("add_prefix_space", fallback: true))
        {
            steps.Add(new PrefixSpaceStep());
        }

        if (item.Flag("use_regex", fallback: true))
        {
            steps.Add(SplitPatterns.Step(SplitPatterns.Gpt2));
        }
    }

    private static PreTokenizerStep ReadSplit(JsonItem item)
    {
        var behavior = item.Required("behavior");
        if (behavior.Text() != "Isolated" || item.Flag("invert"))
        {
            throw behavior.Unsupported($"splitting with behavior `{behavior.Text()}`, invert {item.Flag("invert")}");
        }

        var pattern = item.Required("pattern");
        var literal = pattern.Optional("String");
        var source = literal.IsNull ? pattern.Required("Regex") : literal;
        try
        {
            return SplitPatterns.Step(literal.IsNull ? source.Text() : System.Text.RegularExpressions.Regex.Escape(source.Text()));
        }
        catch (ArgumentException exception)
        {
            throw source.Refuse($"is not a regular expression that .NET understands ({exception.Message})");
        }
    }
}
