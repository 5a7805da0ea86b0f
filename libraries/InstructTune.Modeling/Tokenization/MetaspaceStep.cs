namespace InstructTune.Modeling.Tokenization;

/// <summary>Writes spaces as U+2581, as SentencePiece does, and puts one in front.</summary>
internal sealed record MetaspaceStep(char Replacement, string Scheme) : PreTokenizer.Step
{
    public static MetaspaceStep Read(JsonItem item)
    {
        if (item.Flag("split", fallback: true))
        {
            throw item.Optional("split").Unsupported("a Metaspace pre-tokenizer that splits");
        }

        var replacement = item.Required("replacement");
        if (replacement.Text().Length != 1)
        {
            throw replacement.Refuse("must be one character");
        }

        var scheme = item.Optional("prepend_scheme");
        var name = scheme.IsNull ? "always" : scheme.Text();
        return name is "always" or "first" or "never"
            ? new MetaspaceStep(replacement.Text()[0], name)
            : throw scheme.Unsupported($"the scheme `{name}`");
    }

    public override void Split(TextPiece piece, List<TextPiece> output, bool continues, bool first)
    {
        var text = piece.Span.ToString().Replace(' ', Replacement);
        var prepend = !continues && (Scheme == "always" || (Scheme == "first" && first));
        output.Add(new TextPiece(prepend && text.Length > 0 && text[0] != Replacement ? Replacement + text : text));
    }
}
