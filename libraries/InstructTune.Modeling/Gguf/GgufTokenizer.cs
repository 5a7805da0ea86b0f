using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>tokenizer.* of the metadata: checked here, and written as the files of a Hugging Face folder.</summary>
internal sealed class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";
    private const string TokensKey = Prefix + "tokens";
    private const string KindsKey = Prefix + "token_type";

    private GgufTokenizer(GgufMetadata metadata, string model, string[] tokens)
    {
        Model = model;
        Tokens = tokens;
        Kinds = ReadKinds(metadata, Tokens.Length);
        BeginOfText = GgufTokenIds.Find(metadata, "bos_token_id", Tokens.Length);
        Unknown = GgufTokenIds.Find(metadata, "unknown_token_id", Tokens.Length);
        Padding = GgufTokenIds.Find(metadata, "padding_token_id", Tokens.Length);
        EndOfText = GgufTokenIds.EndOfText(metadata);
        ChatTemplate = metadata.Text("tokenizer.chat_template");
    }

    /// <summary>gpt2 (byte-level BPE) or llama (SentencePiece).</summary>
    public string Model { get; }

    public string[] Tokens { get; }

    public IReadOnlyList<TokenKind> Kinds { get; }

    /// <summary>Pairs of tokens with a space between; gpt2 only.</summary>
    public string[] Merges { get; private init; } = [];

    /// <summary>llama only.</summary>
    public float[] Scores { get; private init; } = [];

    /// <summary>gpt2 only.</summary>
    public GgufPreTokenizer? PreTokenizer { get; private init; }

    /// <summary>Tokens without the unused ones at the end, which only fill up the rows of the embedding.</summary>
    public int UsedTokens => Kinds.Count - Kinds.Reverse().TakeWhile(k => k == TokenKind.Unused).Count();

    public int? BeginOfText { get; }

    public int? Unknown { get; }

    public int? Padding { get; }

    public IReadOnlyList<int> EndOfText { get; }

    public string? ChatTemplate { get; }

    public bool AddsBeginOfText { get; private init; }

    public bool AddsEndOfText { get; private init; }

    public bool AddsSpacePrefix { get; private init; }

    public static GgufTokenizer Read(GgufMetadata metadata, int vocabularySize)
    {
        var model = metadata.RequiredText(Prefix + "model");
        var preTokenizer = model switch
        {
            "gpt2" => GgufPreTokenizers.Find(metadata),
            "llama" => null,
            _ => throw metadata.Fault(Prefix + "model", $"{model} is not supported; supported are gpt2 and llama"),
        };
        var tokens = metadata.Texts(TokensKey) ?? throw metadata.Fault(TokensKey, "is missing");
        if (tokens.Length != vocabularySize)
        {
            throw metadata.Fault(TokensKey, $"has {tokens.Length} tokens; {GgufNames.Embedding} has {vocabularySize} rows");
        }

        var tokenizer = new GgufTokenizer(metadata, model, tokens)
        {
            PreTokenizer = preTokenizer,
            Merges = preTokenizer is null ? [] : ReadMerges(metadata, tokens),
            Scores = preTokenizer is null ? ReadScores(metadata) : [],
            AddsBeginOfText = metadata.Flag(Prefix + "add_bos_token") ?? preTokenizer?.AddsBeginOfText ?? true,
            AddsEndOfText = metadata.Flag(Prefix + "add_eos_token") ?? false,
            AddsSpacePrefix = metadata.Flag(Prefix + "add_space_prefix") ?? true,
        };
        tokenizer.Check(metadata);
        return tokenizer;
    }

    /// <summary>tokenizer.json or tokenizer.model, tokenizer_config.json and generation_config.json.</summary>
    public void Write(string folder, int contextTokens)
    {
        if (PreTokenizer is not null)
        {
            HuggingFaceFolder.WriteFile(Path.Combine(folder, "tokenizer.json"), TokenizerJson.Write(this));
        }
        else
        {
            HuggingFaceFolder.WriteFile(Path.Combine(folder, "tokenizer.model"), SentencePieceModel.Write(this));
        }

        HuggingFaceFolder.WriteFile(Path.Combine(folder, "tokenizer_config.json"), TokenizerJson.WriteSettings(this, contextTokens));
        HuggingFaceFolder.WriteFile(Path.Combine(folder, "generation_config.json"), TokenizerJson.WriteGeneration(this));
    }

    private static TokenKind[] ReadKinds(GgufMetadata metadata, int count)
    {
        if (metadata.Find(KindsKey) is not { } list)
        {
            return [.. Enumerable.Repeat(TokenKind.Normal, count)];
        }

        if (!list.IsArray || list.Type == GgufValueType.String || list.Count != count)
        {
            throw metadata.Fault(KindsKey, $"must be an array of {count} numbers, one for each token");
        }

        var kinds = new TokenKind[count];
        for (var i = 0; i < count; i++)
        {
            kinds[i] = list.Integer(i) is >= 1 and <= 6 and var kind ? (TokenKind)kind : throw metadata.Fault(KindsKey, $"holds a kind that does not exist, at token {i}");
        }

        return kinds;
    }

    private static float[] ReadScores(GgufMetadata metadata)
    {
        const string key = Prefix + "scores";
        if (metadata.Find(key) is not { IsArray: true, Type: GgufValueType.Float32 } list)
        {
            throw metadata.Fault(key, "must be an array of float32");
        }

        var scores = Enumerable.Range(0, list.Count).Select(i => (float)list.Real(i)!.Value).ToArray();
        return scores.All(float.IsFinite) ? scores : throw metadata.Fault(key, "holds a number that is not finite");
    }

    private void Check(GgufMetadata metadata)
    {
        if (PreTokenizer is null && Scores.Length != Tokens.Length)
        {
            throw metadata.Fault(Prefix + "scores", $"has {Scores.Length} numbers for {Tokens.Length} tokens");
        }

        if (EndOfText.FirstOrDefault(id => id >= Tokens.Length, -1) is >= 0 and var outside)
        {
            throw metadata.Fault(Prefix + "eos_token_id", $"{outside} is not among the {Tokens.Length} tokens");
        }

        if (AddsBeginOfText && BeginOfText is null && metadata.Has(Prefix + "add_bos_token"))
        {
            throw metadata.Fault(Prefix + "add_bos_token", $"is true, and {Prefix}bos_token_id is missing");
        }

        RefuseRepeated(metadata);
    }

    private void RefuseRepeated(GgufMetadata metadata)
    {
        var ids = new Dictionary<string, int>(Tokens.Length, StringComparer.Ordinal);
        for (var i = 0; i < Tokens.Length; i++)
        {
            if (!ids.TryAdd(Tokens[i], i))
            {
                throw metadata.Fault(TokensKey, $"tokens {ids[Tokens[i]]} and {i} are the same text");
            }
        }
    }

    // A merge whose product is no token gives no token: llama.cpp carries it along, Hugging Face's files must not have it.
    private static string[] ReadMerges(GgufMetadata metadata, string[] tokens)
    {
        const string key = Prefix + "merges";
        var merges = metadata.Texts(key) ?? throw metadata.Fault(key, "is missing");
        var known = tokens.ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        var kept = new List<string>(merges.Length);
        for (var i = 0; i < merges.Length; i++)
        {
            var merge = merges[i].AsSpan();
            var space = merge.IndexOf(' ');
            if (space < 1 || !known.Contains(merge[..space]) || !known.Contains(merge[(space + 1)..]))
            {
                throw metadata.Fault(key, $"merge {i} is not two tokens with a space between");
            }

            if (known.Contains(string.Concat(merge[..space], merge[(space + 1)..])))
            {
                kept.Add(merges[i]);
            }
        }

        return [.. kept];
    }
}
