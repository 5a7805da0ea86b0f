using System.Buffers.Text;
using System.Globalization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>tiktoken's file of ranks: lines of a token in base64 and its rank, which is its id. Two tokens merge where together they are a third.</summary>
internal static class RankFile
{
    private const int MaxTokenBytes = 4096;

    /// <summary>Whether a file can be of this kind: its first line has two fields, the second of digits.</summary>
    public static bool Looks(ReadOnlySpan<byte> content)
    {
        var end = content[..Math.Min(content.Length, 2 * MaxTokenBytes)].IndexOf((byte)'\n');
        var line = end < 0 ? content : content[..end];
        var space = line.IndexOf((byte)' ');
        return space > 0 && Base64.IsValid(line[..space]) && Utf8Parser.TryParse(line[(space + 1)..], out int _, out _);
    }

    public static (TokenizerParts Parts, TokenizerSettings Settings) Read(string file, ReadOnlySpan<byte> content, TokenizerSettings settings)
    {
        var tokens = ReadTokens(file, content);
        var split = SplitOf(file, settings);
        var vocabulary = new Vocabulary(tokens.Count * 2);
        foreach (var (rank, token) in tokens)
        {
            vocabulary.Add(token, rank);
        }

        var ranks = new int[tokens.Keys.Max() + 1];
        Array.Fill(ranks, -1);
        foreach (var rank in tokens.Keys)
        {
            ranks[rank] = rank;
        }

        vocabulary.MergeBySpelling(ranks);
        IReadOnlyList<AddedToken> added = settings.AddedTokens.Count > 0 ? settings.AddedTokens : KnownTokens.Of(split, tokens.Count);
        foreach (var token in added.Where(t => tokens.ContainsKey(t.Id)))
        {
            throw new ModelFormatException(file, $"rank {token.Id}", $"is also the id of the added token `{token.Content}`");
        }

        var parts = ByteLevelParts.Build(file, vocabulary, split, ignoreMerges: true, added);
        return (parts, settings with
        {
            BeginOfText = settings.BeginOfText ?? Known(added, KnownTokens.BeginOfText),
            EndOfText = settings.EndOfText ?? Known(added, KnownTokens.EndOfText),
            AddsBeginOfText = settings.AddsBeginOfText ?? split == WordSplit.Llama3,
        });
    }

    private static string? Known(IReadOnlyList<AddedToken> added, string content) => added.FirstOrDefault(t => t.Content == content)?.Content;

    private static Dictionary<int, string> ReadTokens(string file, ReadOnlySpan<byte> content)
    {
        var tokens = new Dictionary<int, string>();
        var number = 0;
        foreach (var range in content.Split((byte)'\n'))
        {
            number++;
            var line = content[range].TrimEnd((byte)'\r');
            if (line.IsEmpty)
            {
                continue;
            }

            var (token, rank) = ReadLine(file, number, line);
            if (!tokens.TryAdd(rank, token))
            {
                throw new ModelFormatException(file, Line(number), $"gives rank {rank} a second time");
            }
        }

        return tokens.Count > 0 ? tokens : throw new ModelFormatException(file, "the file", "holds no token");
    }

    private static (string Token, int Rank) ReadLine(string file, int number, ReadOnlySpan<byte> line)
    {
        var space = line.IndexOf((byte)' ');
        if (space <= 0 || space > MaxTokenBytes)
        {
            throw new ModelFormatException(file, Line(number), $"must be a token in base64 of at most {MaxTokenBytes} characters, a space, and a rank");
        }

        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(space)];
        if (Base64.DecodeFromUtf8(line[..space], bytes, out _, out var written) != System.Buffers.OperationStatus.Done || written == 0)
        {
            throw new ModelFormatException(file, Line(number), "does not begin with a token in base64");
        }

        var known = Utf8Parser.TryParse(line[(space + 1)..], out int rank, out var used) && used == line.Length - space - 1;
        return known && rank is >= 0 and < DefinedTokenizer.MaxTokens
            ? (ByteAlphabet.Spell(bytes.AsSpan(0, written)), rank)
            : throw new ModelFormatException(file, Line(number), $"must end with a rank from 0 to {DefinedTokenizer.MaxTokens - 1}");
    }

    // The file does not say how text is cut into words; the kind of model does.
    private static WordSplit SplitOf(string file, TokenizerSettings settings) => settings.ModelType switch
    {
        "llama" => WordSplit.Llama3,
        "qwen" or "qwen2" => WordSplit.Qwen2,
        "gpt2" => WordSplit.Gpt2,
        null => throw new ModelFormatException(file, "the split pattern", "is not known: it follows from `model_type` in config.json, which is missing"),
        var other => throw new ModelFormatException(file, "the split pattern", $"is not known for the model type `{other}` (known: llama, qwen, qwen2, gpt2)"),
    };

    private static string Line(int number) => string.Create(CultureInfo.InvariantCulture, $"line {number}");
}

/// <summary>The control tokens that programs around rank files hold in their code.</summary>
internal static class KnownTokens
{
    public const string BeginOfText = "<|begin_of_text|>", EndOfText = "<|end_of_text|>";

    // As in the reference code of Llama 3: 256 tokens after the ranks.
    private static readonly string[] Llama3 =
    [
        BeginOfText, EndOfText, "<|reserved_special_token_0|>", "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>",
        "<|reserved_special_token_2|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
        .. Enumerable.Range(3, 245).Select(i => string.Create(CultureInfo.InvariantCulture, $"<|reserved_special_token_{i}|>")),
    ];

    public static IReadOnlyList<AddedToken> Of(WordSplit split, int first) => split == WordSplit.Llama3
        ? [.. Llama3.Select((content, i) => new AddedToken(first + i, content) { Special = true })]
        : [];
}
