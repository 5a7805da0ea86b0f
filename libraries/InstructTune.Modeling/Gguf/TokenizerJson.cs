using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Modeling.Gguf;

/// <summary>A tokenizer of a GGUF file in the files of Hugging Face.</summary>
internal static class TokenizerJson
{
    private static readonly JsonSerializerOptions s_options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>tokenizer.json of a byte-level BPE.</summary>
    public static byte[] Write(GgufTokenizer tokenizer)
    {
        var pre = tokenizer.PreTokenizer!;
        var root = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = Added(tokenizer),
            ["normalizer"] = pre.Composes ? new JsonObject { ["type"] = "NFC" } : null,
            ["pre_tokenizer"] = pre.ToJson(),
            ["post_processor"] = Template(tokenizer),
            ["decoder"] = GgufPreTokenizers.ByteLevel(addPrefixSpace: true, useRegex: true),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = pre.IgnoresMerges,
                ["vocab"] = new JsonObject(Vocabulary(tokenizer)),
                ["merges"] = new JsonArray([.. tokenizer.Merges.Select(m => (JsonNode)m)]),
            },
        };
        return JsonSerializer.SerializeToUtf8Bytes(root, s_options);
    }

    public static byte[] WriteSettings(GgufTokenizer tokenizer, int contextTokens)
    {
        var root = new JsonObject
        {
            ["add_bos_token"] = tokenizer.AddsBeginOfText && tokenizer.BeginOfText is not null,
            ["add_eos_token"] = tokenizer.AddsEndOfText,
            ["bos_token"] = Text(tokenizer, tokenizer.BeginOfText),
            ["clean_up_tokenization_spaces"] = false,
            ["eos_token"] = Text(tokenizer, tokenizer.EndOfText is [var end, ..] ? end : null),
            ["model_max_length"] = contextTokens,
            ["pad_token"] = Text(tokenizer, tokenizer.Padding),
            ["tokenizer_class"] = tokenizer.PreTokenizer is null ? "LlamaTokenizer" : "PreTrainedTokenizerFast",
            ["unk_token"] = Text(tokenizer, tokenizer.Unknown),
        };
        if (tokenizer.ChatTemplate is { } template)
        {
            root["chat_template"] = template;
        }

        if (tokenizer.PreTokenizer is null)
        {
            // As llama.cpp, which puts the space after every control token too.
            root["legacy"] = true;
        }

        return JsonSerializer.SerializeToUtf8Bytes(root, s_options);
    }

    public static byte[] WriteGeneration(GgufTokenizer tokenizer)
    {
        var root = new JsonObject
        {
            ["bos_token_id"] = tokenizer.BeginOfText,
            ["eos_token_id"] = tokenizer.EndOfText is [var only] ? only : new JsonArray([.. tokenizer.EndOfText.Select(id => (JsonNode)id)]),
        };
        if (tokenizer.Padding is { } padding)
        {
            root["pad_token_id"] = padding;
        }

        return JsonSerializer.SerializeToUtf8Bytes(root, s_options);
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Vocabulary(GgufTokenizer tokenizer) =>
        Enumerable.Range(0, tokenizer.UsedTokens).Select(i => KeyValuePair.Create(tokenizer.Tokens[i], (JsonNode?)i));

    private static JsonArray Added(GgufTokenizer tokenizer) => new(
    [
        .. Enumerable.Range(0, tokenizer.Tokens.Length)
            .Where(i => tokenizer.Kinds[i] is TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown && tokenizer.Tokens[i].Length > 0)
            .Select(i => new JsonObject
            {
                ["id"] = i,
                ["content"] = tokenizer.Tokens[i],
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = tokenizer.Kinds[i] != TokenKind.UserDefined,
            }),
    ]);

    private static JsonObject? Template(GgufTokenizer tokenizer)
    {
        int? begin = tokenizer.AddsBeginOfText ? tokenizer.BeginOfText : null;
        int? end = tokenizer.AddsEndOfText && tokenizer.EndOfText is [var first, ..] ? first : null;
        if (begin is null && end is null)
        {
            return null;
        }

        var specials = new JsonObject();
        JsonArray Once(string sequence)
        {
            var pieces = new JsonArray();
            foreach (var (id, isText) in new (int? Id, bool IsText)[] { (begin, false), (0, true), (end, false) })
            {
                if (isText)
                {
                    pieces.Add(new JsonObject { ["Sequence"] = new JsonObject { ["id"] = sequence, ["type_id"] = 0 } });
                }
                else if (id is { } special)
                {
                    var token = tokenizer.Tokens[special];
                    pieces.Add(new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = token, ["type_id"] = 0 } });
                    specials[token] = new JsonObject { ["id"] = token, ["ids"] = new JsonArray(special), ["tokens"] = new JsonArray(token) };
                }
            }

            return pieces;
        }

        var (single, other) = (Once("A"), Once("B"));
        var pair = new JsonArray([.. single.Concat(other).Select(n => n!.DeepClone())]);
        return new JsonObject { ["type"] = "TemplateProcessing", ["single"] = single, ["pair"] = pair, ["special_tokens"] = specials };
    }

    private static string? Text(GgufTokenizer tokenizer, int? id) => id is { } known ? tokenizer.Tokens[known] : null;
}
