using System.Text;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>tiktoken's files of ranks.</summary>
public sealed class RankFileTests
{
    private static readonly string[] Tokens = [.. Enumerable.Range(0, 256).Select(b => ((char)b).ToString()), "th", "the", "at", " the", "he"];

    [Fact]
    public void Two_tokens_merge_where_they_are_a_third_lowest_rank_first()
    {
        using var folder = Write(Lines(), "llama");
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal([257, 259, (byte)'t', 260 - 2], tokenizer.Encode("the thetat").Select(id => id));
    }

    [Fact]
    public void A_word_that_is_a_token_is_taken_whole()
    {
        using var folder = Write(Lines("xyz"), "llama");
        Assert.Equal([261], Tokenizer.Load(folder.Path).Encode("xyz"));
    }

    [Fact]
    public void The_tokens_of_llama_3_follow_the_ranks()
    {
        using var folder = Write(Lines(), "llama");
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal(Tokens.Length + 256, tokenizer.VocabularySize);
        Assert.Equal(Tokens.Length, tokenizer.BeginOfTextId);
        Assert.Equal(tokenizer.FindToken("<|eot_id|>"), tokenizer.Encode("<|eot_id|>", parseSpecial: true).Single());
        Assert.Equal(Tokens.Length, tokenizer.Encode("a", addSpecialTokens: true)[0]);
    }

    [Theory]
    [InlineData("gpt2", 3)]
    [InlineData("qwen2", 3)]
    [InlineData("llama", 1)]
    public void The_kind_of_model_decides_how_text_is_cut(string modelType, int pieces)
    {
        // Three digits stay together in Llama 3 only; GPT-2 never cuts digits, but none of these has a token of two.
        using var folder = Write(Lines("123"), modelType);
        var expected = modelType == "gpt2" ? 1 : pieces;
        Assert.Equal(expected, Tokenizer.Load(folder.Path).Encode("123").Length);
    }

    [Fact]
    public void A_file_of_its_own_name_is_found_and_added_tokens_come_from_the_settings()
    {
        using var folder = new TemporaryFolder();
        folder.WriteText("qwen.tiktoken", Lines());
        folder.WriteText("config.json", """{"model_type":"qwen"}""");
        folder.WriteText("tokenizer_config.json", """{"eos_token":"<|end|>","added_tokens_decoder":{"261":{"content":"<|end|>","special":true}}}""");
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal([261], tokenizer.EndOfTextIds);
        Assert.Equal([97, 261], tokenizer.Encode("a<|end|>", parseSpecial: true));
    }

    [Theory]
    [InlineData("YQ== 0\nYg==\n", "llama", "line 2")]
    [InlineData("YQ== 0\nYg== 0\n", "llama", "a second time")]
    [InlineData("YQ== 0\n*** 1\n", "llama", "base64")]
    [InlineData("YQ== 0\nYg== -1\n", "llama", "rank from 0")]
    [InlineData("YQ== 0\nYg== 4000000\n", "llama", "rank from 0")]
    [InlineData("YQ== 0\nYg== 1 2\n", "llama", "rank from 0")]
    [InlineData("YQ== 0\n", "falcon", "falcon")]
    [InlineData("YQ== 0\n", null, "config.json")]
    public void A_broken_file_is_refused_by_line(string content, string? modelType, string named)
    {
        using var folder = Write(content, modelType);
        Assert.Contains(named, Assert.Throws<ModelFormatException>(() => Tokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_added_token_with_the_id_of_a_rank_is_refused()
    {
        using var folder = Write(Lines(), "llama");
        folder.WriteText("tokenizer_config.json", """{"added_tokens_decoder":{"5":{"content":"<|x|>","special":true}}}""");
        Assert.Contains("<|x|>", Assert.Throws<ModelFormatException>(() => Tokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_any_tokenizer_names_what_is_read()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("tokenizer.model", Assert.Throws<ModelFormatException>(() => Tokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static string Lines(params string[] more) => string.Concat(
        Tokens.Concat(more).Select((t, i) => $"{Convert.ToBase64String(i < 256 ? [(byte)i] : Encoding.UTF8.GetBytes(t))} {i}\n"));

    private static TemporaryFolder Write(string content, string? modelType)
    {
        var folder = new TemporaryFolder();
        folder.WriteText("tokenizer.model", content);
        if (modelType is not null)
        {
            folder.WriteText("config.json", $$"""{"model_type":"{{modelType}}"}""");
        }

        return folder;
    }
}
