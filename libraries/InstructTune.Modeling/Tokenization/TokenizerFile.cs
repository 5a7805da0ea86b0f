using System.Text.Json;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>A tokenizer.json.</summary>
internal static class TokenizerFile
{
    public const string Name = "tokenizer.json";

    public static TokenizerParts Read(ReadOnlyMemory<byte> json)
    {
        // `truncation` and `padding` are left aside, as transformers does: lengths are decided per request.
        var root = Parse(Name, json);
        var added = root.Optional("added_tokens") is { IsNull: false } tokens ? tokens.Items().Select(AddedToken.Read).ToList() : [];
        var preTokenizer = PreTokenizer.Read(root.Optional("pre_tokenizer"));
        var decoder = TokenDecoder.Read(root.Optional("decoder"));
        if (preTokenizer.IsByteLevel != decoder.IsByteLevel)
        {
            throw root.Optional("decoder").Refuse("must be ByteLevel exactly where the pre-tokenizer is");
        }

        return new()
        {
            File = Name,
            AddedTokens = added,
            Normalizer = TextNormalizer.Read(root.Optional("normalizer")),
            PreTokenizer = preTokenizer,
            Model = BytePairModelFile.Read(root.Required("model"), preTokenizer.IsByteLevel, added.Where(t => t.Special).Select(t => t.Id)),
            PostProcessor = PostProcessor.Read(root.Optional("post_processor")),
            Decoder = decoder,
        };
    }

    public static JsonItem Parse(string file, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return new(file, "", document.RootElement.Clone());
        }
        catch (JsonException exception)
        {
            throw new ModelFormatException(file, "the document", $"is not JSON ({exception.Message})");
        }
    }
}
