using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The `decoder` of a tokenizer.json, reduced to what streaming needs: bytes for each token, and whether the first space goes.</summary>
internal sealed record TokenDecoder(bool IsByteLevel, char SpaceMark, bool StripsFirstSpace)
{
    private static readonly string[] SentencePieceDecoders = ["Replace", "ByteFallback", "Fuse"];

    public static TokenDecoder Read(JsonItem item)
    {
        if (item.IsNull)
        {
            throw item.Unsupported("a tokenizer without a decoder");
        }

        return item.Type switch
        {
            "ByteLevel" => new(IsByteLevel: true, '\0', StripsFirstSpace: false),
            "Metaspace" => ReadMetaspace(item),
            "Sequence" => ReadSequence(item, [.. item.Required("decoders").Items()]),
            _ => throw item.Unsupported($"the decoder `{item.Type}`"),
        };
    }

    /// <summary>The bytes that a token adds to the text.</summary>
    public byte[] BytesOf(string token)
    {
        if (IsByteLevel)
        {
            return token.All(c => ByteAlphabet.ToByte(c) >= 0)
                ? [.. token.Select(c => (byte)ByteAlphabet.ToByte(c))]
                : Encoding.UTF8.GetBytes(token);
        }

        return ByteToken.TryRead(token, out var value) ? [value] : Encoding.UTF8.GetBytes(token.Replace(SpaceMark, ' '));
    }

    private static TokenDecoder ReadMetaspace(JsonItem item)
    {
        var scheme = item.Optional("prepend_scheme");
        var replacement = item.Required("replacement");
        return replacement.Text().Length == 1
            ? new(IsByteLevel: false, replacement.Text()[0], scheme.IsNull || scheme.Text() != "never")
            : throw replacement.Refuse("must be one character");
    }

    private static TokenDecoder ReadSequence(JsonItem item, JsonItem[] decoders)
    {
        if (decoders is [{ } only])
        {
            return Read(only);
        }

        if (!decoders.Take(3).Select(d => d.Type).SequenceEqual(SentencePieceDecoders) || decoders.Length > 4)
        {
            throw item.Unsupported($"the decoders {string.Join(", ", decoders.Select(d => d.Type))}");
        }

        var mark = decoders[0].Required("pattern").Required("String");
        var content = decoders[0].Required("content");
        if (mark.Text().Length != 1 || content.Text() != " ")
        {
            throw decoders[0].Unsupported("a decoder that replaces anything but one character by a space");
        }

        if (decoders.Length == 4)
        {
            var strip = decoders[3];
            var known = strip.Type == "Strip" && strip.Required("content").Text() == " "
                && strip.Required("start").Integer() == 1 && strip.Required("stop").Integer() == 0;
            if (!known)
            {
                throw strip.Unsupported("a last decoder other than stripping one space in front");
            }
        }

        return new(IsByteLevel: false, mark.Text()[0], decoders.Length == 4);
    }
}
