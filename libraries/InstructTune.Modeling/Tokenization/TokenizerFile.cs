using System.Text.Json;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The parts of a tokenizer.json.</summary>
internal sealed record TokenizerFile
{
    public const string Name = "tokenizer.json";

    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }

    public required TextNormalizer Normalizer { get; init; }

    public required PreTokenizer PreTokenizer { get; init; }

    public required BytePairModel Model { get; init; }

    public required PostProcessor PostProcessor { get; init; }

    public required TokenDecoder Decoder { get; init; }

    public static TokenizerFile Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            throw new ModelFormatException(Name, "the file", "is missing; other tokenizer formats are not read");
        }

        // `truncation` and `padding` are left aside, as transformers does: lengths are decided per request.
        var root = Parse(Name, File.ReadAllBytes(path));
        var added = root.Optional("added_tokens") is { IsNull: false } tokens ? tokens.Items().Select(AddedToken.Read).ToList() : [];
        var preTokenizer = PreTokenizer.Read(root.Optional("pre_tokenizer"));
        var decoder = TokenDecoder.Read(root.Optional("decoder"));
        if (preTokenizer.IsByteLevel != decoder.IsByteLevel)
        {
            throw root.Optional("decoder").Refuse("must be ByteLevel exactly where the pre-tokenizer is");
        }

        return new()
        {
            AddedTokens = added,
            Normalizer = TextNormalizer.Read(root.Optional("normalizer")),
            PreTokenizer = preTokenizer,
            Model = BytePairModel.Read(root.Required("model"), preTokenizer.IsByteLevel, added.Where(t => t.Special).Select(t => t.Id)),
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
