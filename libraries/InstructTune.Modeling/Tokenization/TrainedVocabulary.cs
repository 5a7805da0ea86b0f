using System.Text;
using System.Text.Json;

namespace InstructTune.Modeling.Tokenization;

/// <summary>A byte-level BPE vocabulary in the form of Llama 3: control tokens, then bytes, then merges in the order they were learnt.</summary>
public sealed class TrainedVocabulary
{
    internal const string Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string BeginOfText = "<|begin_of_text|>", EndOfText = "<|end_of_text|>", Padding = "<|pad|>";

    private readonly List<string> _tokens = [.. ControlTokens, .. Enumerable.Range(0, 256).Select(b => ByteAlphabet.ToCharacter((byte)b).ToString())];
    private readonly Dictionary<string, int> _ids;
    private readonly List<(string Left, string Right)> _merges = [];

    internal TrainedVocabulary() => _ids = _tokens.Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id, StringComparer.Ordinal);

    /// <summary>How many tokens there are.</summary>
    public int Count => _tokens.Count;

    internal static IReadOnlyList<string> ControlTokens { get; } = [BeginOfText, EndOfText, Padding];

    /// <summary>Writes tokenizer.json and tokenizer_config.json, as this library and Hugging Face read them.</summary>
    /// <param name="folder">Exists.</param>
    /// <param name="contextTokens">What the model can attend to.</param>
    public void Write(string folder, int contextTokens)
    {
        WriteJson(folder, TokenizerFile.Name, WriteTokenizer);
        WriteJson(folder, "tokenizer_config.json", json =>
        {
            json.WriteString("bos_token", BeginOfText);
            json.WriteString("eos_token", EndOfText);
            json.WriteString("pad_token", Padding);
            json.WriteBoolean("clean_up_tokenization_spaces", false);
            json.WriteNumber("model_max_length", contextTokens);
            json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        });
    }

    internal List<int> ByteIds(string word) => [.. Encoding.UTF8.GetBytes(word).Select(b => ControlTokens.Count + b)];

    /// <summary>Notes a merge and returns the id of what it makes, which an earlier merge may have made already.</summary>
    internal int Merge(int left, int right)
    {
        _merges.Add((_tokens[left], _tokens[right]));
        var merged = _tokens[left] + _tokens[right];
        if (!_ids.TryGetValue(merged, out var id))
        {
            _ids[merged] = id = _tokens.Count;
            _tokens.Add(merged);
        }

        return id;
    }

    private static void WriteJson(string folder, string file, Action<Utf8JsonWriter> write)
    {
        using var stream = File.Create(Path.Combine(folder, file));
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }

    private void WriteTokenizer(Utf8JsonWriter json)
    {
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        Write(json, "added_tokens", ControlTokens.Select((content, id) =>
            new { id, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true }));
        json.WriteNull("normalizer");
        Write(json, "pre_tokenizer", new { type = "Sequence", pretokenizers = new object[] { Split(), ByteLevel(addPrefixSpace: false, useRegex: false) } });
        Write(json, "post_processor", Template());
        Write(json, "decoder", ByteLevel(addPrefixSpace: true, useRegex: true));
        json.WriteStartObject("model");
        WriteModel(json);
        json.WriteEndObject();
    }

    private static object Split() => new { type = "Split", pattern = new { Regex = Pattern }, behavior = "Isolated", invert = false };

    private static object ByteLevel(bool addPrefixSpace, bool useRegex) =>
        new { type = "ByteLevel", add_prefix_space = addPrefixSpace, trim_offsets = true, use_regex = useRegex };

    private static object Template()
    {
        object begin = new { SpecialToken = new { id = BeginOfText, type_id = 0 } };
        object first = new { Sequence = new { id = "A", type_id = 0 } };
        object second = new { Sequence = new { id = "B", type_id = 0 } };
        return new
        {
            type = "TemplateProcessing",
            single = new[] { begin, first },
            pair = new[] { begin, first, begin, second },
            special_tokens = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                [BeginOfText] = new { id = BeginOfText, ids = new[] { 0 }, tokens = new[] { BeginOfText } },
            },
        };
    }

    private static void Write<T>(Utf8JsonWriter json, string name, T value)
    {
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, value);
    }

    private void WriteModel(Utf8JsonWriter json)
    {
        json.WriteString("type", "BPE");
        foreach (var absent in (string[])["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"])
        {
            json.WriteNull(absent);
        }

        foreach (var off in (string[])["fuse_unk", "byte_fallback", "ignore_merges"])
        {
            json.WriteBoolean(off, false);
        }

        Write(json, "vocab", _ids);
        Write(json, "merges", _merges.Select(m => new[] { m.Left, m.Right }));
    }
}
