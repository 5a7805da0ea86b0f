using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using InstructTune.Modeling.Tokenization;
using InstructTune.Numerics.Tests.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Tokenization;

/// <summary>Against Hugging Face's own library in this process, on texts that no file foresaw.</summary>
public sealed class LiveTokenizerTests
{
    // Characters that tokenizers disagree on: joiners, marks, spaces of all kinds, planes above the first, our own control tokens.
    private static readonly string[] Pieces =
    [
        "the", " cat", "'s", "'S", "'\u017f", "123", "4567", "\u0665", "\n", "\r\n", " ", "  ", "\t", "\u00a0", "\u3000", "\u0085", "\u2028", "\u200b",
        "e\u0301", "\u00e9", "\ufb01", "\u0130", "\u2460", "\U0001d7d8", "\U00020000", "\U0001f600", "\U0001f468\u200d\U0001f469", "\U00010428", "\u4f60\u597d",
        "\u0e01\u0e33", "\u0928\u093f", "\ufeff", "\ufffe", "\0", "\u0007", "###", ":", "\"", "://", "_", "\u2581", "<0x0A>", "<s>", "</s>",
        "<|end_of_text|>", "<|begin_of_text|>", "<|im_end|>", "<|endoftext|>", "<unk>",
    ];

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.OneOf(Pieces.Select(p => Gen.Const(p)).ToArray()).Array[0, 12].Select(string.Concat),
        Gen.Int[1, 0x10ffff].Where(Rune.IsValid).Select(v => new Rune(v).ToString()).Array[0, 8].Select(string.Concat));

    [Theory]
    [MemberData(nameof(ReferenceTokenizers.Cases), MemberType = typeof(ReferenceTokenizers))]
    public void A_random_text_gives_the_same_ids_and_text(string folder, string form) =>
        Compare(ReferenceTokenizers.Load(folder, form), ReferenceOutputs.Folder(folder, "tokenizer.json"));

    [Fact]
    public void Added_tokens_with_every_flag_are_found_in_the_same_places()
    {
        using var folder = new TemporaryFolder();
        var trained = BytePairTrainer.Train(Enumerable.Repeat("the cat sat on the mat, na\u00efve \u4f60\u597d 123", 5), 300);
        trained.Write(folder.Path, contextTokens: 64);
        var file = Path.Combine(folder.Path, "tokenizer.json");
        var root = JsonNode.Parse(File.ReadAllText(file))!;
        var id = trained.Count;
        foreach (var flags in Enumerable.Range(0, 32))
        {
            root["added_tokens"]!.AsArray().Add(new JsonObject
            {
                ["id"] = id++,
                ["content"] = $"[T{flags}]",
                ["single_word"] = (flags & 1) != 0,
                ["lstrip"] = (flags & 2) != 0,
                ["rstrip"] = (flags & 4) != 0,
                ["normalized"] = (flags & 8) != 0,
                ["special"] = (flags & 16) != 0,
            });
        }

        folder.WriteText("tokenizer.json", root.ToJsonString());
        var texts = Gen.OneOf(
            Gen.Int[0, 31].Select(i => $"[T{i}]"), Gen.OneOf(Pieces.Select(p => Gen.Const(p)).ToArray()),
            Gen.Int[1, 0x10ffff].Where(Rune.IsValid).Select(v => new Rune(v).ToString())).Array[0, 10].Select(string.Concat);
        Compare(Tokenizer.Load(folder.Path), file, texts);
    }

    /// <summary>Every symbol, space, sign and control there is, before a token that is a word of its own: letters, marks and digits are sampled elsewhere.</summary>
    [Fact]
    public void The_same_characters_end_a_word()
    {
        using var folder = new TemporaryFolder();
        var trained = BytePairTrainer.Train(Enumerable.Repeat("the cat sat on the mat", 5), 270);
        trained.Write(folder.Path, contextTokens: 64);
        var file = Path.Combine(folder.Path, "tokenizer.json");
        var root = JsonNode.Parse(File.ReadAllText(file))!;
        root["added_tokens"]!.AsArray().Add(new JsonObject
        {
            ["id"] = trained.Count, ["content"] = "[T]", ["single_word"] = true, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true,
        });
        folder.WriteText("tokenizer.json", root.ToJsonString());
        var ours = Tokenizer.Load(folder.Path);
        using var theirs = new Tokenizers.DotNet.Tokenizer(vocabPath: file);
        var runes = Enumerable.Range(1, 0x10ffff).Where(Rune.IsValid).Select(value => new Rune(value))
            .Where(rune => Rune.GetUnicodeCategory(rune) is >= UnicodeCategory.OtherNumber and not (UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse)).ToArray();

        var differing = runes.Where(rune => theirs.Encode(rune + "[T]").Contains((uint)trained.Count) != ours.Encode(rune + "[T]", parseSpecial: true).Contains(trained.Count));

        Assert.True(runes.Length > 5_000);
        Assert.Empty(differing.Select(rune => $"U+{rune.Value:X}"));
    }

    [Fact]
    public void A_vocabulary_trained_here_works_there()
    {
        using var folder = new TemporaryFolder();
        BytePairTrainer.Train(Enumerable.Repeat("the cat sat on the mat, na\u00efve \u4f60\u597d 123", 5), 300).Write(folder.Path, contextTokens: 64);
        Compare(Tokenizer.Load(folder.Path), Path.Combine(folder.Path, "tokenizer.json"));
    }

    private static void Compare(Tokenizer ours, string file, Gen<string>? texts = null)
    {
        using var theirs = new Tokenizers.DotNet.Tokenizer(vocabPath: file);
        (texts ?? Texts).Sample(
            text =>
            {
                var expected = theirs.Encode(text);
                Assert.Equal(expected.Select(id => (int)id), ours.Encode(text, addSpecialTokens: true, parseSpecial: true));
                Assert.Equal(theirs.Decode(expected), ours.Decode([.. expected.Select(id => (int)id)]));
            },
            iter: 2_000,
            threads: 1);
    }
}
