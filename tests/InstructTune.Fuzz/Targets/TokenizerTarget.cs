using System.Text;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz.Targets;

/// <summary>A tokenizer file of a model folder: what loads must encode and decode any text.</summary>
internal abstract class TokenizerTarget(string file) : FuzzTarget
{
    private const string Text = "the cat's 123 hats <|end_of_text|></s>  na\u00efve \ud83d\ude00\n\t\ud800 <0x0A>\u2581";

    private readonly ScratchFile _file = new(file);

    protected string Folder => Path.GetDirectoryName(_file.Location)!;

    // Reading a document costs a small multiple of it, and so does a table of it.
    public override long AllocationLimitBytes(int inputSizeBytes) => 12_000_000 + (2_000L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        _file.Put(input);
        var tokenizer = Tokenizer.Load(Folder);
        var ids = tokenizer.Encode(Text, addSpecialTokens: true, parseSpecial: true);
        if (ids.Any(id => id < 0 || id >= tokenizer.VocabularySize))
        {
            throw new InvariantException("An id is outside of the vocabulary.");
        }

        var stream = new TextStream(tokenizer, skipSpecial: false);
        var text = string.Concat(ids.Select(stream.Append)) + stream.Flush();
        if (text != tokenizer.Decode(ids, skipSpecial: false))
        {
            throw new InvariantException("Streaming gives another text than decoding.");
        }
    }

    public override bool IsRefusal(Exception exception) => exception is ModelFormatException;

    protected void WriteBeside(string name, string content)
    {
        using var writer = new StreamWriter(Path.Combine(Folder, name));
        writer.Write(content);
    }
}

/// <summary>tokenizer.json.</summary>
internal sealed class TokenizerJsonTarget() : TokenizerTarget("tokenizer.json")
{
    public override string Name => "tokenizer-json";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "\"type\":\"Metaspace\"", "\"type\":\"NFC\"", "\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a+)+$\"},\"behavior\":\"Isolated\"", "\"Sequence\"", "\"id\":2147483647", "\"id\":-1",
            "\"single_word\":true", "\"lstrip\":true", "\"normalized\":true", "\"byte_fallback\":true", "\\ud800", "null", "\"merges\":[", "\"vocab\":{", "\"\"", "{}", "[]", "1e9", "\"dropout\":0.1",
        }.Select(Bytes.Text),
    ];

    public override IReadOnlyList<byte[]> Seeds()
    {
        using var folder = new SeedFolder();
        BytePairTrainer.Train(["the cat sat on the mat and the hat"], BytePairTrainer.SmallestVocabulary + 8).Write(folder.Location, contextTokens: 64);
        return [File.ReadAllBytes(Path.Combine(folder.Location, "tokenizer.json")), SentencePieceJson()];
    }

    private static byte[] SentencePieceJson()
    {
        string[] tokens = ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), "\u2581", "a", "b", "\u2581a"];
        var vocabulary = string.Join(',', tokens.Select((t, i) => $"\"{t}\":{i}"));
        var added = string.Join(',', tokens.Take(3).Select((t, i) => $"{{\"id\":{i},\"content\":\"{t}\",\"special\":true}}"));
        return Bytes.Text($$$"""
            {"added_tokens":[{{{added}}}],"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"\u2581"},{"type":"Replace","pattern":{"String":" "},"content":"\u2581"}]},
            "pre_tokenizer":null,"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"\u2581"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
            "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{{{{vocabulary}}}},"merges":["\u2581 a"]}}
            """);
    }
}

/// <summary>tokenizer.model of SentencePiece.</summary>
internal sealed class SentencePieceTarget() : TokenizerTarget("tokenizer.model")
{
    public override string Name => "tokenizer-model";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        [0x0A, 0x0C, 0x0A, 0x03, 0xE2, 0x96, 0x81, 0x15, 0, 0, 0x80, 0xBF, 0x18, 1], [0x18, 1], [0x18, 5], [0x18, 6], [0x12, 2, 0x18, 1], [0x1A, 4, 0x12, 2, 0, 0],
        [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], [0x15, 0, 0, 0xC0, 0x7F], [0x15, 0, 0, 0x80, 0xFF],
    ];

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        Pieces().Trainer().Normalizer().ToArray(),
        Pieces().Trainer().Normalizer(prefix: false, collapse: true, SentencePieceBytes.Map(("A", "a"), ("\ufb01", "fi"))).ToArray(),
    ];

    private static SentencePieceBytes Pieces() => SentencePieceBytes.Small(
        ("\u2581", -3, SentencePieceBytes.Normal), ("a", -4, SentencePieceBytes.Normal), ("t", -5, SentencePieceBytes.Normal),
        ("\u2581t", -1, SentencePieceBytes.Normal), ("at", -2, SentencePieceBytes.Normal), ("<x>", 0, SentencePieceBytes.UserDefined));
}

/// <summary>tokenizer.model that is a file of ranks, as of Llama 3.</summary>
internal sealed class RankFileTarget : TokenizerTarget
{
    public RankFileTarget()
        : base("tokenizer.model") => WriteBeside("config.json", "{\"model_type\":\"llama\"}");

    public override string Name => "tokenizer-ranks";

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "AA== 0\n", "dGhl 300\n", "IA== 5", " -1\n", " 99999999999\n", "====", "\r\n", " \n", "/w== 4000000\n", "dA==\t1\n" }.Select(Bytes.Text)];

    public override IReadOnlyList<byte[]> Seeds()
    {
        string[] tokens = [.. Enumerable.Range(0, 256).Select(b => Convert.ToBase64String([(byte)b])), .. new[] { "th", "the", " t", " the", "at" }.Select(t => Convert.ToBase64String(Encoding.UTF8.GetBytes(t)))];
        return [Bytes.Text(string.Concat(tokens.Select((t, i) => $"{t} {i}\n")))];
    }
}
