using CsCheck;
using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Modeling.Generation;

public sealed class StopMatcherTests
{
    [Theory]
    [InlineData("DEFGHIJ", "ABC|DEF|G|HI|J", "ABC||||", "DEFGHIJ")]
    [InlineData("DEFGHIJ", "ABC|DEF|G|HI|K", "ABC||||DEFGHIK", null)]
    [InlineData("\n\n,###", "a\n|b|##|#c", "a|\nb||", "###")]
    [InlineData("aab", "a|a|a|b", "||a|", "aab")]
    [InlineData("bc,abcd", "xa|bc|d", "x|a|", "bc")]
    [InlineData("bcd,abcd", "xa|bcd", "x|", "abcd")]
    public void A_published_case_emits_its_pieces(string stops, string pieces, string emitted, string? matched)
    {
        var matcher = new StopMatcher(stops.Split(','));
        Assert.Equal(emitted, string.Join('|', pieces.Split('|').Select(p => matcher.Append(p))));
        Assert.Equal(matched, matcher.Matched);
    }

    [Fact]
    public void Text_and_reason_do_not_depend_on_how_the_text_is_cut()
    {
        var text = Gen.String[Gen.Char["abc"], 0, 24];
        var stops = Gen.String[Gen.Char["abc"], 1, 4].List[0, 4];
        var cuts = Gen.Int[0, 4].List[0, 24];
        Gen.Select(text, stops, cuts).Sample(
            (t, s, c) => Assert.Equal(WholeText(t, s), Streamed(t, s, c)),
            iter: 5_000);
    }

    [Fact]
    public void What_may_become_a_stop_comes_out_at_the_end()
    {
        var matcher = new StopMatcher(["ab"]);
        Assert.Equal("", matcher.Append("a"));
        Assert.Equal("a", matcher.Flush());
    }

    [Fact]
    public void A_stop_may_begin_before_the_minimum_length_but_must_end_after_it()
    {
        var matcher = new StopMatcher(["bc", "abcd"]);
        Assert.Equal("x", matcher.Append("xabc", mayEnd: false));
        Assert.Equal("", matcher.Append("d"));
        Assert.Equal("abcd", matcher.Matched);
    }

    [Fact]
    public void Nothing_comes_after_a_match()
    {
        var matcher = new StopMatcher(["b"]);
        Assert.Equal("a", matcher.Append("abc"));
        Assert.Equal("", matcher.Append("more"));
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void An_empty_stop_is_refused() => Assert.Throws<ArgumentException>(() => new StopMatcher([""]));

    private static (string Text, string? Stop) WholeText(string text, List<string> stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var ending = stops.Where(s => text[..end].EndsWith(s, StringComparison.Ordinal)).MaxBy(s => s.Length);
            if (ending is not null)
            {
                return (text[..(end - ending.Length)], ending);
            }
        }

        return (text, null);
    }

    private static (string Text, string? Stop) Streamed(string text, List<string> stops, List<int> cuts)
    {
        var matcher = new StopMatcher(stops);
        var output = "";
        foreach (var length in cuts)
        {
            var take = Math.Min(length, text.Length);
            output += matcher.Append(text[..take]);
            text = text[take..];
        }

        return (output + matcher.Append(text) + matcher.Flush(), matcher.Matched);
    }
}
