using System.Buffers;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Writes spaces as U+2581, as SentencePiece does, and puts one in front.</summary>
internal sealed class MetaspaceStep(char replacement, string scheme) : PreTokenizerStep
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

    public override void Split(ReadOnlySpan<char> text, PiecePlace place, PreTokenizerRun next)
    {
        var prepend = !place.Continues && (scheme == "always" || (scheme == "first" && place.First))
            && text.Length > 0 && text[0] != ' ' && text[0] != replacement;
        var marked = ArrayPool<char>.Shared.Rent(text.Length + 1);
        var start = prepend ? 1 : 0;
        marked[0] = replacement;
        text.Replace(marked.AsSpan(start), ' ', replacement);
        next.Take(marked.AsSpan(0, start + text.Length), place);
        ArrayPool<char>.Shared.Return(marked);
    }
}
