using System.Text;
using CsCheck;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

public sealed class TokenizerTests
{
    [Fact]
    public void Decoding_gives_the_text_back()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        Gen.String.Where(IsWellFormed).Sample(text => Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text))), iter: 1000);
    }

    [Fact]
    public void Ids_stay_below_the_vocabulary_size()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        Gen.String.Sample(text => Assert.All(tokenizer.Encode(text), id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1)), iter: 200);
    }

    [Fact]
    public void Text_of_users_never_becomes_a_special_token()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        var ids = tokenizer.Encode("<|end_of_text|>");
        Assert.DoesNotContain(ids, tokenizer.IsSpecial);
        Assert.Equal("<|end_of_text|>", tokenizer.Decode(ids));
    }

    [Fact]
    public void Special_tokens_are_parsed_on_request()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        Assert.Equal([.. tokenizer.Encode("cat"), 1, .. tokenizer.Encode("hat")], tokenizer.Encode("cat<|end_of_text|>hat", parseSpecial: true));
    }

    [Fact]
    public void Special_tokens_are_skipped_in_text_unless_asked_for()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        int[] ids = [0, .. tokenizer.Encode("the cat"), 1];
        Assert.Equal("the cat", tokenizer.Decode(ids));
        Assert.Equal("<|begin_of_text|>the cat<|end_of_text|>", tokenizer.Decode(ids, skipSpecial: false));
    }

    [Fact]
    public void The_control_tokens_come_from_the_files()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        Assert.Equal(0, tokenizer.BeginOfTextId);
        Assert.Equal([1], tokenizer.EndOfTextIds);
        Assert.Equal(2, tokenizer.PaddingId);
        Assert.Equal([0, .. tokenizer.Encode("the cat")], tokenizer.Encode("the cat", addSpecialTokens: true));
    }

    [Fact]
    public void A_list_of_end_tokens_is_joined_with_the_named_one()
    {
        using var files = SmallTokenizer.ByteLevel();
        files.WriteFile("generation_config.json", System.Text.Json.Nodes.JsonNode.Parse("""{"eos_token_id":[2,1]}""")!);
        Assert.Equal([1, 2], files.Load().EndOfTextIds);
    }

    [Fact]
    public void A_setting_can_leave_the_first_token_out()
    {
        using var files = SmallTokenizer.ByteLevel();
        files.WriteFile("tokenizer_config.json", System.Text.Json.Nodes.JsonNode.Parse("""{"bos_token":"<|begin_of_text|>","add_bos_token":false}""")!);
        Assert.Null(files.Load().BeginOfTextId);
    }

    [Fact]
    public void Sentence_pieces_get_a_space_in_front_that_decoding_takes_away()
    {
        using var files = SmallTokenizer.SentencePiece();
        var tokenizer = files.Load();
        var ids = tokenizer.Encode("abc");
        Assert.Equal([tokenizer.FindToken("\u2581a"), tokenizer.FindToken("bc")], ids.Select(i => (int?)i));
        Assert.Equal("abc", tokenizer.Decode(ids));
    }

    [Fact]
    public void A_continuation_gets_no_space_in_front()
    {
        using var files = SmallTokenizer.SentencePiece();
        var tokenizer = files.Load();
        Assert.Equal([tokenizer.FindToken("a"), tokenizer.FindToken("bc")], tokenizer.EncodeContinuation("abc").Select(i => (int?)i));
    }

    [Fact]
    public void The_Llama_class_begins_texts_without_a_template()
    {
        using var files = SmallTokenizer.SentencePiece();
        var tokenizer = files.Load();
        Assert.Equal(1, tokenizer.BeginOfTextId);
        Assert.Equal([2], tokenizer.EndOfTextIds);
    }

    [Fact]
    public void Characters_outside_the_vocabulary_become_bytes()
    {
        using var files = SmallTokenizer.SentencePiece();
        var tokenizer = files.Load();
        var ids = tokenizer.EncodeContinuation("\u00e9");
        Assert.Equal([tokenizer.FindToken("<0xC3>"), tokenizer.FindToken("<0xA9>")], ids.Select(i => (int?)i));
        Assert.Equal("\u00e9", tokenizer.Decode(ids));
        Assert.Equal([0xC3], tokenizer.TokenBytes(ids[0]).ToArray());
    }

    [Fact]
    public void A_stream_shows_whole_characters_only_and_the_same_text()
    {
        using var files = SmallTokenizer.SentencePiece();
        var tokenizer = files.Load();
        Gen.String.Where(IsWellFormed).Sample(text =>
        {
            var stream = new TextStream(tokenizer);
            var deltas = tokenizer.Encode(text).Select(stream.Append).ToList();
            Assert.All(deltas, d => Assert.True(IsWellFormed(d) && (text.Contains('\ufffd') || !d.Contains('\ufffd'))));
            Assert.Equal(text, string.Concat(deltas) + stream.Flush());
        });
    }

    [Fact]
    public void A_character_that_never_became_whole_shows_at_the_end()
    {
        using var files = SmallTokenizer.SentencePiece();
        var tokenizer = files.Load();
        var stream = new TextStream(tokenizer);
        Assert.Equal("", stream.Append(tokenizer.FindToken("<0xC3>")!.Value));
        Assert.Equal("\ufffd", stream.Flush());
    }

    [Fact]
    public void An_id_outside_the_vocabulary_is_refused()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([tokenizer.VocabularySize]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([-1]));
    }

    private static bool IsWellFormed(string text)
    {
        try
        {
            _ = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetByteCount(text);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }
}
