using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>Tokenizers made from a vocabulary in memory.</summary>
public sealed class TokenizerDefinitionTests
{
    private static readonly TokenizerDefinition Small = new()
    {
        File = "model.gguf",
        Style = TokenizerStyle.ByteLevel,
        Tokens = ["a", "b", "ab", "\u0120", "\u0120ab", "<end>"],
        Kinds = [TokenKind.Normal, TokenKind.Normal, TokenKind.Normal, TokenKind.Normal, TokenKind.Normal, TokenKind.Control],
        Merges = ["a b", "\u0120 ab"],
        EndOfTextId = 5,
    };

    [Fact]
    public void A_byte_level_vocabulary_works()
    {
        var tokenizer = Tokenizer.Create(Small);
        Assert.Equal([2, 4, 5], tokenizer.Encode("ab ab<end>", parseSpecial: true));
        Assert.Equal("ab ab", tokenizer.Decode([2, 4, 5]));
        Assert.Equal([5], tokenizer.EndOfTextIds);
        Assert.Null(tokenizer.BeginOfTextId);
    }

    [Fact]
    public void A_vocabulary_of_scores_works_and_gaps_are_passed_over()
    {
        var tokenizer = Tokenizer.Create(new()
        {
            Style = TokenizerStyle.SentencePiece,
            Tokens = ["<unk>", "<s>", "\u2581", "a", "\u2581a", "[PAD5]"],
            Kinds = [TokenKind.Unknown, TokenKind.Control, TokenKind.Normal, TokenKind.Normal, TokenKind.Normal, TokenKind.Unused],
            Scores = [0, 0, -3, -2, -1, 0],
            BeginOfTextId = 1,
        });
        Assert.Equal([1, 4, 0, 2, 4], tokenizer.Encode("a\u00e9  a", addSpecialTokens: true));
        Assert.Equal(1, tokenizer.BeginOfTextId);
    }

    [Theory]
    [InlineData("merge 0")]
    [InlineData("token kinds")]
    [InlineData("tokens")]
    [InlineData("end-of-text token")]
    [InlineData("kind of token 1")]
    [InlineData("scores")]
    public void A_definition_that_contradicts_itself_is_refused_by_item(string item)
    {
        var broken = item switch
        {
            "merge 0" => Small with { Merges = ["a z"] },
            "token kinds" => Small with { Kinds = [TokenKind.Normal] },
            "tokens" => Small with { Tokens = [], Kinds = [] },
            "end-of-text token" => Small with { EndOfTextId = 6 },
            "kind of token 1" => Small with { Kinds = [.. Small.Kinds.Select((k, i) => i == 1 ? (TokenKind)7 : k)] },
            _ => Small with { Style = TokenizerStyle.SentencePiece },
        };

        var refusal = Assert.Throws<ModelFormatException>(() => Tokenizer.Create(broken));

        Assert.Contains(item, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("model.gguf", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_threads_get_the_ids_that_one_gets()
    {
        using var files = SmallTokenizer.ByteLevel();
        var tokenizer = files.Load();
        string[] texts = [.. Enumerable.Range(0, 3_000).Select(i => $"the cat{i} sat on {i * 37} mats, na\u00efve {(char)('a' + (i % 26))}{i % 91}")];
        int[][] expected = [.. texts.Select(t => files.Load().Encode(t)).Take(20), .. texts.Skip(20).Select(t => tokenizer.Encode(t))];
        var shared = files.Load();
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(
            () => texts.Select((_, i) => (i + (worker * 700)) % texts.Length).Select(i => shared.Encode(texts[i]).AsSpan().SequenceEqual(expected[i])).All(same => same),
            TestContext.Current.CancellationToken)));
        Assert.All(results, Assert.True);
    }
}
