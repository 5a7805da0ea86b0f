using InstructTune.Fuzz;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static InstructTune.Fuzz.SentencePieceBytes;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>tokenizer.model of SentencePiece.</summary>
public sealed class SentencePieceFileTests
{
    private static readonly (string, float, int)[] Pieces =
    [
        ("\u2581", -9, Normal), ("a", -8, Normal), ("b", -8, Normal), ("c", -8, Normal), ("ab", -2, Normal), ("bc", -1, Normal), ("\u2581a", -3, Normal),
        ("aa", -4, Normal), ("f", -8, Normal), ("i", -8, Normal), ("[x]", 0, UserDefined),
    ];

    [Theory]
    [InlineData("abc", "\u2581a|bc")]
    [InlineData("aaab", "\u2581a|a|ab")]
    [InlineData("aaa", "\u2581a|aa")]
    [InlineData("b  a", "\u2581|b|\u2581|\u2581a")]
    [InlineData("\u2581a", "\u2581|\u2581a")]
    [InlineData("\u00e9", "\u2581|<0xC3>|<0xA9>")]
    [InlineData("<s>", "\u2581|<0x3C>|<0x73>|<0x3E>")]
    [InlineData("a[x]b", "\u2581a|[x]|\u2581|b")]
    [InlineData("", "")]
    public void The_highest_score_is_merged_first_and_unknown_characters_become_bytes(string text, string expected) =>
        Assert.Equal(expected, Spell(Small(Pieces).Trainer().Normalizer(), text));

    [Fact]
    public void Of_equal_scores_the_leftmost_pair_is_merged_first() =>
        Assert.Equal(
            "bb|bb|b",
            Spell(Small(("b", -5, Normal), ("c", -5, Normal), ("bc", -1, Normal), ("bb", -1, Normal), ("cb", -1, Normal)).Trainer().Normalizer(prefix: false), "bbbbb"));

    [Fact]
    public void Spaces_at_the_ends_and_within_are_dropped_where_the_file_says_so() =>
        Assert.Equal("\u2581a|\u2581|b", Spell(Small(Pieces).Trainer().Normalizer(collapse: true), "  a   b  "));

    [Fact]
    public void Without_the_prefix_a_text_begins_as_it_is()
    {
        var file = Small(Pieces).Trainer().Normalizer(prefix: false);
        Assert.Equal("a|bc", Spell(file, "abc"));
        Assert.Equal("\u2581a", Spell(file, " a"));
    }

    [Fact]
    public void Compiled_rules_rewrite_the_longest_match() =>
        Assert.Equal(
            "\u2581|f|i|a|b|c",
            Spell(Small([.. Pieces.Where(p => p.Item1.Length == 1)]).Trainer().Normalizer(map: Map(("\ufb01", "fi"), ("A", "a"), ("AB", "ab"), ("\u0301", ""))), "\ufb01AB\u0301c"));

    [Fact]
    public void Text_after_an_added_token_gets_a_prefix_in_legacy_tokenizers_only()
    {
        var file = Small(Pieces).Trainer().Normalizer();
        Assert.Equal("\u2581a|[x]|\u2581a", Spell(file, "a[x]a"));
        Assert.Equal("\u2581a|[x]|a", Spell(file, "a[x]a", ("tokenizer_config.json", """{"legacy":false}""")));
    }

    [Fact]
    public void The_first_token_goes_in_front_unless_the_settings_say_otherwise()
    {
        using var folder = Write(Small(Pieces).Trainer().Normalizer());
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal((1, 2), (tokenizer.BeginOfTextId, tokenizer.EndOfTextIds.Single()));
        Assert.Equal(1, tokenizer.Encode("a", addSpecialTokens: true)[0]);
        folder.WriteText("tokenizer_config.json", """{"add_bos_token":false,"add_eos_token":true}""");
        Assert.Equal(2, Tokenizer.Load(folder.Path).Encode("a", addSpecialTokens: true)[^1]);
        Assert.Null(Tokenizer.Load(folder.Path).BeginOfTextId);
    }

    [Fact]
    public void Added_tokens_of_the_settings_are_found_with_their_flags() =>
        Assert.Equal("\u2581a|<|x|>|\u2581|b", Spell(
            Small(Pieces).Trainer().Normalizer(), "a  <|x|>  b",
            ("tokenizer_config.json", """{"added_tokens_decoder":{"300":{"content":"<|x|>","lstrip":true,"rstrip":true,"single_word":false,"normalized":false,"special":true}}}""")));

    public static TheoryData<string, byte[]> Refused => new()
    {
        { "unigram", Small(Pieces).Trainer(1).Normalizer().ToArray() },
        { "char", Small(Pieces).Trainer(4).Normalizer().ToArray() },
        { "unused", Small([.. Pieces, ("zz", 0, Unused)]).Trainer().ToArray() },
        { "treat_whitespace_as_suffix", Small(Pieces).Trainer(2, 0xC0, 1, 1).ToArray() },
        { "escape_whitespaces", Small(Pieces).Trainer().Normalizer(more: [0x28, 0]).ToArray() },
        { "precompiled_charsmap", Small(Pieces).Trainer().Normalizer(map: [1, 2, 3]).ToArray() },
        { "denormalizer_spec", Small(Pieces).Trainer().Denormalizer(Map(("a", "b"))).ToArray() },
        { "score", Small([.. Pieces, ("q", float.NaN, Normal)]).Trainer().ToArray() },
        { "kind of token 259", Small(("q", 0, 9)).Trainer().ToArray() },
        { "pieces", new SentencePieceBytes().Trainer().ToArray() },
        { "UTF-8", [0x0A, 3, 0x0A, 1, 0xFF] },
        { "wire type", [0x0F, 1] },
        { "end of the file", [0x0A, 0x7F] },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void What_is_not_supported_or_damaged_is_refused_by_name(string named, byte[] content)
    {
        using var folder = new TemporaryFolder();
        using (var file = File.Create(folder["tokenizer.model"]))
        {
            file.Write(content);
        }

        var refusal = Assert.Throws<ModelFormatException>(() => Tokenizer.Load(folder.Path));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.model", refusal.Message, StringComparison.Ordinal);
    }

    private static TemporaryFolder Write(SentencePieceBytes content)
    {
        var folder = new TemporaryFolder();
        using var file = File.Create(folder["tokenizer.model"]);
        file.Write(content.ToArray());
        return folder;
    }

    private static string Spell(SentencePieceBytes content, string text, params (string File, string Text)[] beside)
    {
        using var folder = Write(content);
        foreach (var (file, written) in beside)
        {
            folder.WriteText(file, written);
        }

        var tokenizer = Tokenizer.Load(folder.Path);
        var spellings = tokenizer.ToDefinition().Tokens;
        return string.Join('|', tokenizer.Encode(text, parseSpecial: text.Contains("<|", StringComparison.Ordinal)).Select(id => spellings[id]));
    }
}
