using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The `normalizer` of a tokenizer: a chain of rewritings.</summary>
internal sealed class TextNormalizer
{
    private readonly NormalizerStep[] _steps;

    public TextNormalizer(IEnumerable<NormalizerStep> steps) => _steps = [.. steps];

    public static TextNormalizer Read(JsonItem item)
    {
        var steps = new List<NormalizerStep>();
        if (!item.IsNull)
        {
            Add(item, steps);
        }

        return new TextNormalizer(steps);
    }

    /// <param name="text">Any text.</param>
    /// <param name="continues">Whether the text goes on after other text; it then gets no prefix.</param>
    /// <param name="scratch">Holds the result, which lasts until the next call.</param>
    public ReadOnlySpan<char> Apply(ReadOnlySpan<char> text, bool continues, EncodeScratch scratch)
    {
        var (target, other) = (scratch.Text, scratch.OtherText);
        foreach (var step in _steps)
        {
            target.Clear();
            if (step.TryRewrite(text, continues, target))
            {
                text = target.Span;
                (target, other) = (other, target);
            }
        }

        return text;
    }

    public string Apply(string text) => Apply(text, continues: false, new EncodeScratch()).ToString();

    private static void Add(JsonItem item, List<NormalizerStep> steps)
    {
        switch (item.Type)
        {
            case "Sequence":
                foreach (var part in item.Required("normalizers").Items())
                {
                    Add(part, steps);
                }

                break;
            case "NFC" or "NFD" or "NFKC" or "NFKD":
                steps.Add(new UnicodeFormStep(Form(item)));
                break;
            case "Prepend":
                steps.Add(new PrefixStep(item.Required("prepend").Text()));
                break;
            case "Replace":
                var pattern = item.Required("pattern");
                if (pattern.Optional("String").IsNull)
                {
                    throw pattern.Unsupported("a normalizer that replaces by regular expression");
                }

                var old = pattern.Required("String");
                steps.Add(old.Text().Length > 0 ? new ReplacementStep(old.Text(), item.Required("content").Text()) : throw old.Refuse("must not be empty"));
                break;
            default:
                throw item.Unsupported($"the normalizer `{item.Type}`");
        }
    }

    private static NormalizationForm Form(JsonItem item)
    {
        if (!UnicodeNormalization.Works)
        {
            throw item.Refuse("Unicode normalization does nothing in this process: install ICU and leave InvariantGlobalization off");
        }

        return item.Type switch
        {
            "NFC" => NormalizationForm.FormC,
            "NFD" => NormalizationForm.FormD,
            "NFKC" => NormalizationForm.FormKC,
            _ => NormalizationForm.FormKD,
        };
    }
}
