using System.Text;
using System.Text.Json;
using InstructTune.Storage;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>A byte-level byte-pair tokenizer of 2 letters at most per token, written as a tokenizer.json.</summary>
internal static class TinyTokenizer
{
    public const int BeginOfText = 0;
    public const int EndOfText = 1;

    /// <summary>Two special tokens, 256 bytes, and for each letter one after a space and five before a vowel.</summary>
    public const int Count = 2 + 256 + (26 * 6);

    private const string Begin = "<|begin|>";
    private const string End = "<|end|>";

    public static void Write(string folder)
    {
        var (vocabulary, merges) = Build();
        var tokenizer = new
        {
            version = "1.0",
            added_tokens = new[] { Added(BeginOfText, Begin), Added(EndOfText, End) },
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", vocab = vocabulary, merges },
        };
        Save(folder, "tokenizer.json", tokenizer);
        Save(folder, "tokenizer_config.json", new { bos_token = Begin, eos_token = End });
    }

    private static (Dictionary<string, int> Vocabulary, List<string> Merges) Build()
    {
        Dictionary<string, int> vocabulary = new(StringComparer.Ordinal) { [Begin] = BeginOfText, [End] = EndOfText };
        foreach (var letter in Alphabet())
        {
            vocabulary.Add(letter, vocabulary.Count);
        }
        List<string> merges = [];
        foreach (var first in "abcdefghijklmnopqrstuvwxyz")
        {
            Merge("\u0120", first.ToString());
            foreach (var second in "aeiou")
            {
                Merge(first.ToString(), second.ToString());
            }
        }
        return (vocabulary, merges);

        void Merge(string left, string right)
        {
            vocabulary.Add(left + right, vocabulary.Count);
            merges.Add($"{left} {right}");
        }
    }

    /// <summary>A printable character for each byte, as GPT-2 chose them.</summary>
    private static IEnumerable<string> Alphabet()
    {
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var isPrintable = value is (>= '!' and <= '~') or (>= 0xa1 and <= 0xac) or (>= 0xae and <= 0xff);
            yield return ((char)(isPrintable ? value : next++)).ToString();
        }
    }

    private static object Added(int id, string content) =>
        new { id, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true };

    private static void Save(string folder, string name, object content) =>
        AtomicFile.Write(Path.Combine(folder, name), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(content)));
}
