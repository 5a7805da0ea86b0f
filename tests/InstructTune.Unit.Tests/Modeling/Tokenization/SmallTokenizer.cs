using System.Text.Json;
using System.Text.Json.Nodes;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>Tokenizers made for a test, in a folder that goes away.</summary>
internal sealed class SmallTokenizer : IDisposable
{
    private const string SpaceMark = "\u2581";

    private readonly string _folder = Directory.CreateTempSubdirectory("instructtune-tokenizer-").FullName;

    public string Folder => _folder;

    public Tokenizer Load() => Tokenizer.Load(_folder);

    /// <summary>Byte-level, trained on a few sentences.</summary>
    public static SmallTokenizer ByteLevel()
    {
        var made = new SmallTokenizer();
        var texts = Enumerable.Repeat("the cat sat on the mat and the hat. Below is an instruction: wie geht es dir, na\u00efve \ud83d\ude00?", 4);
        BytePairTrainer.Train(texts, 320).Write(made._folder, contextTokens: 128);
        return made;
    }

    /// <summary>In the style of SentencePiece: a prefix space, characters, and bytes for what is not a character of the vocabulary.</summary>
    public static SmallTokenizer SentencePiece()
    {
        var tokens = new List<string> { "<unk>", "<s>", "</s>" };
        tokens.AddRange(Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"));
        tokens.AddRange([SpaceMark, "a", "b", "c", SpaceMark + "a", "bc"]);
        var vocabulary = new JsonObject(tokens.Select((t, i) => KeyValuePair.Create(t, (JsonNode?)i)));
        var made = new SmallTokenizer();
        made.WriteTokenizer(new JsonObject
        {
            ["added_tokens"] = new JsonArray([.. tokens.Take(3).Select((t, i) => new JsonObject { ["id"] = i, ["content"] = t, ["special"] = true })]),
            ["normalizer"] = Parse($$"""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"{{SpaceMark}}"},{"type":"Replace","pattern":{"String":" "},"content":"{{SpaceMark}}"}]}"""),
            ["decoder"] = Parse($$"""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"{{SpaceMark}}"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["unk_token"] = "<unk>",
                ["fuse_unk"] = true,
                ["byte_fallback"] = true,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray(SpaceMark + " a", new JsonArray("b", "c")),
            },
        });
        made.WriteFile("tokenizer_config.json", Parse("""{"bos_token":"<s>","eos_token":{"content":"</s>"},"tokenizer_class":"LlamaTokenizer"}"""));
        return made;
    }

    public JsonNode ReadTokenizer() => Parse(File.ReadAllText(Path.Combine(_folder, "tokenizer.json")));

    public void WriteTokenizer(JsonNode content) => WriteFile("tokenizer.json", content);

    public void WriteFile(string name, JsonNode content)
    {
        using var file = File.Create(Path.Combine(_folder, name));
        JsonSerializer.Serialize(file, content);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static JsonNode Parse(string json) => JsonNode.Parse(json)!;
}
