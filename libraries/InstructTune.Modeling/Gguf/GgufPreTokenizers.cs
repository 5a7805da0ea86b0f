using System.Text.Json.Nodes;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Gguf;

/// <summary>How a named pre-tokenizer of llama.cpp (tokenizer.ggml.pre) is written in tokenizer.json.</summary>
/// <param name="Names">The names that mean it; the first is written.</param>
/// <param name="Patterns">Regular expressions that cut the text one after another; empty where the bytes step cuts itself.</param>
/// <param name="IndividualDigits">Whether every digit is cut off first.</param>
internal sealed record GgufPreTokenizer(IReadOnlyList<string> Names, IReadOnlyList<string> Patterns, bool IndividualDigits = false)
{
    /// <summary>Whether a word that is a token is that token, whatever its merges.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>Whether text is composed first (NFC).</summary>
    public bool Composes { get; init; }

    /// <summary>What add_bos_token is where the file does not say.</summary>
    public bool AddsBeginOfText { get; init; }

    public JsonObject ToJson()
    {
        var steps = new JsonArray();
        if (IndividualDigits)
        {
            steps.Add(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true });
        }

        foreach (var pattern in Patterns)
        {
            steps.Add(new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false });
        }

        steps.Add(GgufPreTokenizers.ByteLevel(addPrefixSpace: false, useRegex: Patterns.Count == 0));
        return new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = steps };
    }
}

/// <summary>The pre-tokenizers that are known.</summary>
internal static class GgufPreTokenizers
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Rest = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly GgufPreTokenizer[] s_all =
    [
        new(["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"], [$@"{Contractions}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{Rest}"])
        {
            IgnoresMerges = true,
            AddsBeginOfText = true,
        },
        new(["qwen2", "deepseek-r1-qwen"], [$@"{Contractions}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{Rest}"]) { Composes = true },
        new(["smollm", "starcoder", "refact", "command-r", "codeshell"], [], IndividualDigits: true),
        new(["gpt-2", "phi-2", "olmo", "jais", "mpt"], []),
        new(
            ["default"],
            [@"[\p{P}\$\+<=>\^~\|]+", @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", @"\p{N}+", "[0-9][0-9][0-9]"]),
    ];

    /// <summary>By name; llama.cpp takes `default` where there is none.</summary>
    public static GgufPreTokenizer Find(GgufMetadata metadata)
    {
        const string key = "tokenizer.ggml.pre";
        var name = metadata.Text(key) ?? "default";
        return s_all.FirstOrDefault(p => p.Names.Contains(name, StringComparer.Ordinal))
            ?? throw metadata.Fault(key, $"{name} is not supported; supported are {string.Join(", ", s_all.SelectMany(p => p.Names))}");
    }

    /// <summary>The name of a split.</summary>
    public static string NameOf(WordSplit split) => split switch
    {
        WordSplit.Llama3 => "llama-bpe",
        WordSplit.Qwen2 => "qwen2",
        WordSplit.SmolLm2 => "smollm",
        _ => "gpt-2",
    };

    public static JsonObject ByteLevel(bool addPrefixSpace, bool useRegex) =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = addPrefixSpace, ["trim_offsets"] = true, ["use_regex"] = useRegex };
}
