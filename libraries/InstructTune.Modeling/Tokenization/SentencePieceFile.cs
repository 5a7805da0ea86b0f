using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>A tokenizer.model of SentencePiece: a protocol buffer with pieces, scores, and rules of normalization.</summary>
internal static class SentencePieceFile
{
    private const int BytePairs = 2;

    private static readonly string[] ModelTypes = ["", "unigram", "bpe", "word", "char"];

    public static (TokenizerParts Parts, TokenizerSettings Settings) Read(string file, ReadOnlySpan<byte> content, TokenizerSettings settings)
    {
        var model = new Content();
        var reader = new ProtobufReader(file, content);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    ReadPiece(file, reader.Bytes, model);
                    break;
                case 2:
                    ReadTrainer(file, reader.Bytes, model);
                    break;
                case 3:
                    ReadNormalizer(file, reader.Bytes, model);
                    break;
                case 5:
                    ReadDenormalizer(file, reader.Bytes);
                    break;
                default:
                    break;
            }
        }

        return Build(file, model, settings);
    }

    private static (TokenizerParts Parts, TokenizerSettings Settings) Build(string file, Content model, TokenizerSettings settings)
    {
        Demand(file, model.ModelType == BytePairs, "trainer_spec.model_type",
            $"`{(model.ModelType is > 0 and < 5 ? ModelTypes[model.ModelType] : model.ModelType)}` is not supported: only bpe is");
        Demand(file, model.Tokens.Count > 0, "pieces", "must not be empty");
        var definition = new TokenizerDefinition
        {
            File = file,
            Style = TokenizerStyle.SentencePiece,
            Tokens = model.Tokens,
            Kinds = model.Kinds,
            Scores = model.Scores,
            AddsSpacePrefix = model.AddsSpacePrefix,
            RemovesExtraSpaces = model.RemovesExtraSpaces,
        };
        DefinedTokenizer.Check(definition);
        NormalizerStep[] before = model.CharacterMap is { } map ? [new CharacterMapStep(map)] : [];
        var parts = SentencePieceParts.Build(definition, settings.IsLegacy, before);
        var more = settings.AddedTokens.Where(t => t.Id >= model.Tokens.Count || parts.AddedTokens.Any(a => a.Id == t.Id)).ToList();
        return (
            parts with { AddedTokens = [.. parts.AddedTokens.Where(t => more.All(m => m.Id != t.Id)), .. more] },
            settings with
            {
                BeginOfText = settings.BeginOfText ?? Control(model, model.BeginOfTextId),
                EndOfText = settings.EndOfText ?? Control(model, model.EndOfTextId),
                AddsBeginOfText = settings.AddsBeginOfText ?? true,
            });
    }

    private static string? Control(Content model, long id) =>
        id >= 0 && id < model.Tokens.Count && model.Kinds[(int)id] == TokenKind.Control ? model.Tokens[(int)id] : null;

    private static void ReadPiece(string file, ReadOnlySpan<byte> message, Content model)
    {
        var (text, score, kind) = ("", 0f, TokenKind.Normal);
        var reader = new ProtobufReader(file, message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    text = reader.Text;
                    break;
                case 2:
                    score = reader.Single;
                    break;
                case 3:
                    kind = (TokenKind)(int)Math.Clamp(reader.Integer, 0, int.MaxValue);
                    break;
                default:
                    break;
            }
        }

        var item = $"piece {model.Tokens.Count}";
        Demand(file, kind != TokenKind.Unused, item, $"`{text}` is marked unused, which is not supported");
        Demand(file, !float.IsNaN(score), item, "has a score that is not a number");
        Demand(file, model.Tokens.Count < DefinedTokenizer.MaxTokens, item, $"is one more than the {DefinedTokenizer.MaxTokens} that are read");
        model.Tokens.Add(text);
        model.Scores.Add(score);
        model.Kinds.Add(kind);
    }

    private static void ReadTrainer(string file, ReadOnlySpan<byte> message, Content model)
    {
        var reader = new ProtobufReader(file, message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 3:
                    model.ModelType = (int)Math.Clamp(reader.Integer, 0, int.MaxValue);
                    break;
                case 24 when reader.Flag:
                    throw new ModelFormatException(file, "trainer_spec.treat_whitespace_as_suffix", "is not supported");
                case 41:
                    model.BeginOfTextId = reader.Integer;
                    break;
                case 42:
                    model.EndOfTextId = reader.Integer;
                    break;
                default:
                    break;
            }
        }
    }

    private static void ReadNormalizer(string file, ReadOnlySpan<byte> message, Content model)
    {
        var reader = new ProtobufReader(file, message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 2:
                    model.CharacterMap = reader.Bytes.IsEmpty ? null : CharacterMap.Read(file, reader.Bytes);
                    break;
                case 3:
                    model.AddsSpacePrefix = reader.Flag;
                    break;
                case 4:
                    model.RemovesExtraSpaces = reader.Flag;
                    break;
                case 5 when !reader.Flag:
                    throw new ModelFormatException(file, "normalizer_spec.escape_whitespaces", "that is off is not supported");
                default:
                    break;
            }
        }
    }

    private static void ReadDenormalizer(string file, ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(file, message);
        while (reader.Read())
        {
            Demand(file, reader.Field != 2 || reader.Bytes.IsEmpty, "denormalizer_spec", "with a character map is not supported");
        }
    }

    private static void Demand(string file, bool holds, string item, string problem)
    {
        if (!holds)
        {
            throw new ModelFormatException(file, item, problem);
        }
    }

    // The defaults are those of SentencePiece's own definition of the format.
    private sealed class Content
    {
        public List<string> Tokens { get; } = [];

        public List<float> Scores { get; } = [];

        public List<TokenKind> Kinds { get; } = [];

        public int ModelType { get; set; } = 1;

        public long BeginOfTextId { get; set; } = 1;

        public long EndOfTextId { get; set; } = 2;

        public bool AddsSpacePrefix { get; set; } = true;

        public bool RemovesExtraSpaces { get; set; } = true;

        public CharacterMap? CharacterMap { get; set; }
    }
}
