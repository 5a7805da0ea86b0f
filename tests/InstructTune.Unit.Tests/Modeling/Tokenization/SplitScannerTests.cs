using System.Text;
using CsCheck;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>The scanners written by hand against the expressions that they stand for.</summary>
public sealed class SplitScannerTests
{
    private static readonly string[] Pieces =
    [
        "'s", "'S", "'\u017f", "'t", "'RE", "'ve", "'m", "'lL", "'d", "'", "''", "'x", "'r", "'l", "a", "Zebra", "\u00e9", "e\u0301", "1", "22", "4444", "\u0665", "\u2160",
        "\u2460", "\n", "\r", "\r\n", "\n\n", " ", "  ", "   ", "\t", "\v", "\f", "\u0085", "\u00a0", "\u2028", "\u3000", "\u200b", ".", "!!", "_", "#", "\u2581", "\u0e33",
        "\U00010428", "\U0001d7d8", "\U0001f600", "\ud800", "\udc00", "\0", "\ufffe", "\u0345", "\u180e",
    ];

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.OneOf(Pieces.Select(p => Gen.Const(p)).ToArray()).Array[0, 14].Select(string.Concat),
        Gen.Char.Array[0, 12].Select(c => new string(c)),
        Gen.Int[1, 0x10ffff].Where(Rune.IsValid).Select(v => new Rune(v).ToString()).Array[0, 8].Select(string.Concat));

    [Fact]
    public void Gpt2_is_cut_as_by_its_expression() => Compare(new Gpt2Scanner(), SplitPatterns.Gpt2);

    [Fact]
    public void Llama3_is_cut_as_by_its_expression() => Compare(new Llama3Scanner(digits: 3), SplitPatterns.Llama3);

    [Fact]
    public void Qwen2_is_cut_as_by_its_expression() => Compare(new Llama3Scanner(digits: 1), SplitPatterns.Qwen2);

    [Fact]
    public void Single_digits_are_cut_as_by_their_expression() => Compare(new DigitScanner(individual: true), @"\p{N}");

    [Fact]
    public void Numbers_are_cut_as_by_their_expression() => Compare(new DigitScanner(individual: false), @"\p{N}+");

    [Fact]
    public void Every_character_of_the_basic_plane_is_of_the_class_that_the_expressions_see()
    {
        var regex = new UnicodeRegex(SplitPatterns.Llama3);
        var scanner = new Llama3Scanner(digits: 3);
        for (var c = 0; c <= 0xffff; c++)
        {
            var text = $" {(char)c}a1{(char)c}{(char)c} {(char)c}\n";
            Assert.Equal(ByExpression(regex, text), ByScanner(scanner, text));
        }
    }

    private static void Compare(SplitScanner scanner, string pattern)
    {
        var regex = new UnicodeRegex(pattern);
        Texts.Sample(text => Assert.Equal(ByExpression(regex, text), ByScanner(scanner, text)), iter: 10_000, threads: 1);
    }

    private static List<int> ByExpression(UnicodeRegex regex, string text)
    {
        var lengths = new List<int>();
        regex.Split(text, lengths);
        return lengths;
    }

    private static List<int> ByScanner(SplitScanner scanner, string text)
    {
        var lengths = new List<int>();
        for (var at = 0; at < text.Length; at += lengths[^1])
        {
            lengths.Add(scanner.Next(text, at) - at);
        }

        return lengths;
    }
}
