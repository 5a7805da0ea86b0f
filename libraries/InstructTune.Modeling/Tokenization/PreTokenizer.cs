namespace InstructTune.Modeling.Tokenization;

/// <summary>The `pre_tokenizer` of a tokenizer.json: cuts text into words that the model treats one by one.</summary>
internal sealed class PreTokenizer
{
    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private readonly List<Step> _steps = [];

    public bool IsByteLevel { get; private set; }

    public static PreTokenizer Read(JsonItem item)
    {
        var preTokenizer = new PreTokenizer();
        if (!item.IsNull)
        {
            preTokenizer.Add(item);
        }

        return preTokenizer;
    }

    /// <param name="text">Normalized text.</param>
    /// <param name="continues">Whether the text goes on after other text; it then gets no prefix.</param>
    /// <param name="first">Whether nothing comes before the text, not even an added token.</param>
    public List<TextPiece> Split(TextPiece text, bool continues, bool first)
    {
        List<TextPiece> pieces = text.Length == 0 ? [] : [text];
        foreach (var step in _steps)
        {
            var next = new List<TextPiece>(pieces.Count * 4);
            for (var i = 0; i < pieces.Count; i++)
            {
                step.Split(pieces[i], next, continues && i == 0, first && i == 0);
            }

            pieces = next;
        }

        return pieces;
    }

    private void Add(JsonItem item)
    {
        switch (item.Type)
        {
            case "Sequence":
                foreach (var part in item.Required("pretokenizers").Items())
                {
                    Add(part);
                }

                break;
            case "Split":
                _steps.Add(new Pattern(ReadSplit(item)));
                break;
            case "Digits":
                _steps.Add(new Pattern(new UnicodeRegex(item.Flag("individual_digits") ? @"\p{N}" : @"\p{N}+")));
                break;
            case "ByteLevel":
                AddByteLevel(item);
                break;
            case "Metaspace":
                _steps.Add(MetaspaceStep.Read(item));
                break;
            default:
                throw item.Unsupported($"the pre-tokenizer `{item.Type}`");
        }
    }

    private void AddByteLevel(JsonItem item)
    {
        IsByteLevel = true;
        if (item.Flag("add_prefix_space", fallback: true))
        {
            _steps.Add(new PrefixSpace());
        }

        if (item.Flag("use_regex", fallback: true))
        {
            _steps.Add(new Pattern(new UnicodeRegex(Gpt2Pattern)));
        }
    }

    private static UnicodeRegex ReadSplit(JsonItem item)
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
            return new UnicodeRegex(literal.IsNull ? source.Text() : System.Text.RegularExpressions.Regex.Escape(source.Text()));
        }
        catch (ArgumentException exception)
        {
            throw source.Refuse($"is not a regular expression that .NET understands ({exception.Message})");
        }
    }

    /// <summary>One step of the chain.</summary>
    internal abstract record Step
    {
        public abstract void Split(TextPiece piece, List<TextPiece> output, bool continues, bool first);
    }

    private sealed record Pattern(UnicodeRegex Regex) : Step
    {
        public override void Split(TextPiece piece, List<TextPiece> output, bool continues, bool first)
        {
            var lengths = new List<int>();
            Regex.Split(piece.Span, lengths);
            var start = piece.Start;
            foreach (var length in lengths)
            {
                output.Add(piece with { Start = start, Length = length });
                start += length;
            }
        }
    }

    private sealed record PrefixSpace : Step
    {
        public override void Split(TextPiece piece, List<TextPiece> output, bool continues, bool first) =>
            output.Add(continues || piece.Length == 0 || piece.Span[0] == ' ' ? piece : new TextPiece(" " + piece.Span.ToString()));
    }
}
