using System.Text.Json.Nodes;
using CsCheck;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>Files of strangers: whatever one value is replaced with, the tokenizer loads and works, or the refusal names the file.</summary>
public sealed class TokenizerFuzzTests
{
    private const string HalfSurrogate = "\\ud800";
    private const string Placeholder = "half-a-surrogate-pair";

    private static readonly string[] Replacements =
    [
        "null", "true", "-1", "2147483647", "1e99", "0.5", "\"\"", "\"x\"", "\"(\"", $"\"{Placeholder}\"", "[]", "{}", "[[1]]", "[null]",
        "{\"type\":\"Sequence\"}", "{\"type\":3}", "{\"String\":\"\"}", $"{{\"{Placeholder}\":1}}",
    ];

    [Theory]
    [InlineData("tokenizer.json", true)]
    [InlineData("tokenizer_config.json", true)]
    [InlineData("tokenizer.json", false)]
    [InlineData("tokenizer_config.json", false)]
    public void A_replaced_value_is_harmless_or_refused(string file, bool byteLevel)
    {
        using var files = byteLevel ? SmallTokenizer.ByteLevel() : SmallTokenizer.SentencePiece();
        var original = File.ReadAllText(Path.Combine(files.Folder, file));
        var count = Places(JsonNode.Parse(original)!).Count();
        Gen.Select(Gen.Int[0, count - 1], Gen.Int[0, Replacements.Length - 1]).Sample(
            (place, replacement) =>
            {
                var root = JsonNode.Parse(original)!;
                Places(root).ElementAt(place)(JsonNode.Parse(Replacements[replacement]));
                Write(Path.Combine(files.Folder, file), root.ToJsonString().Replace(Placeholder, HalfSurrogate, StringComparison.Ordinal));
                Use(files.Folder);
            },
            iter: 200,
            threads: 1);
    }

    private static void Use(string folder)
    {
        Tokenizer tokenizer;
        try
        {
            tokenizer = Tokenizer.Load(folder);
        }
        catch (ModelFormatException refusal)
        {
            Assert.NotEmpty(refusal.File);
            return;
        }

        var ids = tokenizer.Encode("the cat <|end_of_text|> \ud83d\ude00", addSpecialTokens: true, parseSpecial: true);
        Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        tokenizer.Decode(ids, skipSpecial: false);
    }

    // Every value of the document except single tokens and merges, of which only the first few count: they are all alike.
    private static IEnumerable<Action<JsonNode?>> Places(JsonNode node) => node switch
    {
        JsonObject o => o.Take(12).ToList().SelectMany(p => Below(p.Value).Prepend(v => o[p.Key] = v)),
        JsonArray a => a.Take(6).Select((value, i) => (value, i)).ToList().SelectMany(p => Below(p.value).Prepend(v => a[p.i] = v)),
        _ => [],
    };

    private static IEnumerable<Action<JsonNode?>> Below(JsonNode? node) => node is null ? [] : Places(node);

    private static void Write(string path, string text)
    {
        using var writer = new StreamWriter(path);
        writer.Write(text);
    }
}
