using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The `normalizer` of a tokenizer.json.</summary>
internal sealed class TextNormalizer
{
    private readonly List<Step> _steps = [];

    public static TextNormalizer Read(JsonItem item)
    {
        var normalizer = new TextNormalizer();
        if (!item.IsNull)
        {
            normalizer.Add(item);
        }

        return normalizer;
    }

    /// <param name="text">Any text.</param>
    /// <param name="continues">Whether the text goes on after other text; it then gets no prefix.</param>
    public string Apply(string text, bool continues = false) => _steps.Aggregate(text, (t, step) => step.Apply(t, continues));

    private void Add(JsonItem item)
    {
        switch (item.Type)
        {
            case "Sequence":
                foreach (var part in item.Required("normalizers").Items())
                {
                    Add(part);
                }

                break;
            case "NFC" or "NFD" or "NFKC" or "NFKD":
                _steps.Add(new UnicodeForm(Form(item)));
                break;
            case "Prepend":
                _steps.Add(new Prefix(item.Required("prepend").Text()));
                break;
            case "Replace":
                var pattern = item.Required("pattern");
                if (pattern.Optional("String").IsNull)
                {
                    throw pattern.Unsupported("a normalizer that replaces by regular expression");
                }

                var old = pattern.Required("String");
                _steps.Add(old.Text().Length > 0 ? new Replacement(old.Text(), item.Required("content").Text()) : throw old.Refuse("must not be empty"));
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

    private abstract record Step
    {
        public abstract string Apply(string text, bool continues);
    }

    private sealed record UnicodeForm(NormalizationForm Form) : Step
    {
        public override string Apply(string text, bool continues) => UnicodeNormalization.Apply(text, Form);
    }

    private sealed record Prefix(string Text) : Step
    {
        public override string Apply(string text, bool continues) => continues || text.Length == 0 ? text : Text + text;
    }

    private sealed record Replacement(string Old, string New) : Step
    {
        public override string Apply(string text, bool continues) => text.Replace(Old, New, StringComparison.Ordinal);
    }
}
