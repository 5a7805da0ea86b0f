using System.Text.Json.Nodes;
using InstructTune.Modeling.Weights;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>What is not supported, or broken, is refused at load by name.</summary>
public sealed class TokenizerRefusalTests
{
    [Theory]
    [InlineData("model.type", "\"Unigram\"", "Unigram")]
    [InlineData("model.dropout", "0.1", "dropout")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "##")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "</w>")]
    [InlineData("model.unk_token", "\"<nowhere>\"", "<nowhere>")]
    [InlineData("model.vocab", "[]", "model.vocab")]
    [InlineData("model.vocab", "{\"a\":-1}", "`a`")]
    [InlineData("model.merges", "[\"ab\"]", "model.merges[0]")]
    [InlineData("model.merges", "[\"nothing here\"]", "nothing")]
    [InlineData("normalizer", "{\"type\":\"Lowercase\"}", "Lowercase")]
    [InlineData("normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\"b\"}", "regular expression")]
    [InlineData("pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}", "BertPreTokenizer")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Removed\"}", "Removed")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}", "regular expression")]
    [InlineData("pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"_\"}", "Metaspace")]
    [InlineData("post_processor", "{\"type\":\"RobertaProcessing\"}", "RobertaProcessing")]
    [InlineData("decoder", "null", "decoder")]
    [InlineData("decoder", "{\"type\":\"WordPiece\"}", "WordPiece")]
    [InlineData("decoder", "{\"type\":\"Metaspace\",\"replacement\":\"_\"}", "ByteLevel")]
    public void A_tokenizer_json_with_this_is_refused_by_name(string path, string value, string named)
    {
        using var files = SmallTokenizer.ByteLevel();
        var root = files.ReadTokenizer();
        var parts = path.Split('.');
        var parent = parts.Length == 1 ? root : root[parts[0]]!;
        parent[parts[^1]] = JsonNode.Parse(value);
        files.WriteTokenizer(root);

        var refusal = Assert.Throws<ModelFormatException>(files.Load);

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.Equal("tokenizer.json", refusal.File);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        using var files = SmallTokenizer.ByteLevel();
        File.Delete(Path.Combine(files.Folder, "tokenizer.json"));
        Assert.Contains("tokenizer.json", Assert.Throws<ModelFormatException>(files.Load).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_JSON_is_named()
    {
        using var files = SmallTokenizer.ByteLevel();
        using (var file = File.Create(Path.Combine(files.Folder, "tokenizer_config.json")))
        {
            file.Write("{"u8);
        }

        Assert.Equal("tokenizer_config.json", Assert.Throws<ModelFormatException>(files.Load).File);
    }

    [Fact]
    public void A_control_token_that_the_vocabulary_lacks_is_named()
    {
        using var files = SmallTokenizer.ByteLevel();
        files.WriteFile("tokenizer_config.json", JsonNode.Parse("""{"eos_token":"<gone>"}""")!);
        Assert.Contains("<gone>", Assert.Throws<ModelFormatException>(files.Load).Message, StringComparison.Ordinal);
    }
}
