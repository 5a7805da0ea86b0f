using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>The tokenizer of a folder as metadata.</summary>
internal static class GgufVocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    public static void Write(GgufWriter writer, string folder, LlamaConfig config)
    {
        var tokenizer = Tokenizer.Load(folder).ToDefinition();
        if (tokenizer.Tokens.Count > config.VocabularySize)
        {
            throw new ModelFormatException("config.json", "vocab_size", $"is {config.VocabularySize}; the tokenizer has {tokenizer.Tokens.Count} tokens");
        }

        // llama.cpp wants a token for every row of the embedding.
        var padding = Enumerable.Range(tokenizer.Tokens.Count, config.VocabularySize - tokenizer.Tokens.Count).ToList();
        var kinds = Enumerable.Range(0, tokenizer.Tokens.Count).Select(i => tokenizer.Kinds.Count == 0 ? TokenKind.Normal : tokenizer.Kinds[i]);
        var isByteLevel = tokenizer.Style == TokenizerStyle.ByteLevel;
        writer.Add(Prefix + "model", isByteLevel ? "gpt2" : "llama");
        writer.Add(Prefix + "pre", isByteLevel ? GgufPreTokenizers.NameOf(tokenizer.Split) : "default");
        writer.Add(Prefix + "tokens", [.. tokenizer.Tokens, .. padding.Select(i => $"[PAD{i}]")]);
        if (!isByteLevel)
        {
            writer.Add(Prefix + "scores", [.. tokenizer.Scores, .. padding.Select(_ => -10_000f)]);
        }

        writer.Add(Prefix + "token_type", [.. kinds.Select(k => (int)k), .. padding.Select(_ => (int)TokenKind.Unused)]);
        if (isByteLevel)
        {
            writer.Add(Prefix + "merges", tokenizer.Merges);
        }

        WriteIds(writer, tokenizer, config);
    }

    private static void WriteIds(GgufWriter writer, TokenizerDefinition tokenizer, LlamaConfig config)
    {
        if ((tokenizer.BeginOfTextId ?? config.BeginOfTextId) is { } begin)
        {
            writer.Add(Prefix + "bos_token_id", begin);
        }

        if (tokenizer.EndOfTextId is { } end)
        {
            writer.Add(Prefix + "eos_token_id", end);
            if (config.EndOfTextIds.Where(id => id != end).ToList() is [var turn, ..])
            {
                writer.Add(Prefix + "eot_token_id", turn);
            }
        }

        if (tokenizer.PaddingId is { } padding)
        {
            writer.Add(Prefix + "padding_token_id", padding);
        }

        writer.Add(Prefix + "add_bos_token", tokenizer.AddsBeginOfText ?? false);
        if (tokenizer.AddsEndOfText)
        {
            writer.Add(Prefix + "add_eos_token", true);
        }

        if (tokenizer.Style == TokenizerStyle.SentencePiece)
        {
            writer.Add(Prefix + "add_space_prefix", tokenizer.AddsSpacePrefix);
        }

        if (tokenizer.ChatTemplate is { } template)
        {
            writer.Add("tokenizer.chat_template", template);
        }
    }
}
