using InstructTune.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

public sealed class AddedTokenTests
{
    [Fact]
    public void The_longest_token_at_the_leftmost_place_wins() =>
        Assert.Equal(["x", "[abc]", "y"], Split("xabcy", new AddedToken(0, "ab"), new AddedToken(1, "abc"), new AddedToken(2, "bcy")));

    [Fact]
    public void Spaces_beside_a_token_belong_to_it_where_it_says_so() =>
        Assert.Equal(["a", "[  T ]", "b"], Split("a  T b", new AddedToken(0, "T") { StripLeft = true, StripRight = true }));

    [Fact]
    public void A_single_word_is_not_found_inside_words() =>
        Assert.Equal(["aTb ", "[T]", "."], Split("aTb T.", new AddedToken(0, "T") { SingleWord = true }));

    [Theory]
    [InlineData("\u24D0")]
    [InlineData("\U0001F176")]
    [InlineData("\u200D")]
    public void Letters_in_circles_and_squares_and_joiners_are_parts_of_words(string before) =>
        Assert.Equal([before + "T"], Split(before + "T", new AddedToken(0, "T") { SingleWord = true }));

    [Fact]
    public void Special_tokens_are_found_on_request_only()
    {
        var special = new AddedToken(0, "<s>") { Special = true };
        Assert.Equal(["a<s>"], Split("a<s>", parseSpecial: false, special));
        Assert.Equal(["a", "[<s>]"], Split("a<s>", parseSpecial: true, special));
    }

    [Fact]
    public void A_token_that_its_flags_forbid_hides_the_shorter_one_within_it() =>
        Assert.Equal(["abcx"], Split("abcx", new AddedToken(0, "abc") { SingleWord = true }, new AddedToken(1, "bc")));

    private static List<string> Split(string text, params AddedToken[] tokens) => Split(text, parseSpecial: true, tokens);

    private static List<string> Split(string text, bool parseSpecial, params AddedToken[] tokens)
    {
        var splitter = new AddedTokenSplitter(tokens.Select(t => (t.Content, t)));
        var parts = new List<string>();
        var (from, done) = (0, 0);
        while (splitter.TryNext(text, ref from, done, parseSpecial, out var found))
        {
            parts.AddRange(found.Start > done ? [text[done..found.Start], $"[{text[found.Start..found.End]}]"] : [$"[{text[found.Start..found.End]}]"]);
            done = found.End;
        }

        return done < text.Length ? [.. parts, text[done..]] : parts;
    }
}
