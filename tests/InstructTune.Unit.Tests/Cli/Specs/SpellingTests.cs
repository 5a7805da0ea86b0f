using CsCheck;
using InstructTune.Cli.Specs;

namespace InstructTune.Unit.Tests.Cli.Specs;

public sealed class SpellingTests
{
    private static readonly string[] Known = ["epochs", "batch_size", "seed"];
    private static readonly Gen<string> Word = Gen.Char['a', 'c'].Array[0, 8].Select(letters => new string(letters));

    [Theory]
    [InlineData("epoch", "epochs")]
    [InlineData("bacth_size", "batch_size")]
    [InlineData("learning_rate", null)]
    [InlineData("", null)]
    public void A_near_name_is_suggested_and_a_far_one_is_not(string word, string? expected) =>
        Assert.Equal(expected, Spelling.Nearest(word, Known));

    [Fact]
    public void The_distance_is_that_of_the_longer_word_at_most_and_the_same_both_ways() =>
        Gen.Select(Word, Word).Sample((a, b) =>
            Spelling.Distance(a, b) == Spelling.Distance(b, a)
            && Spelling.Distance(a, b) <= Math.Max(a.Length, b.Length)
            && Spelling.Distance(a, b) >= Math.Abs(a.Length - b.Length)
            && (Spelling.Distance(a, b) == 0) == (a == b));
}
