using CsCheck;
using InstructTune.Storage;

namespace InstructTune.Unit.Tests.Storage;

public sealed class PageTokenTests
{
    [Fact]
    public void Token_gives_back_its_cursor_to_its_query_only() =>
        Gen.Select(Gen.String[Gen.Char['a', 'z'], 0, 20], Gen.String[Gen.Char[' ', '~'], 0, 40]).Sample((query, cursor) =>
        {
            var token = PageToken.Encode(query, cursor);
            Assert.Equal(cursor, PageToken.Decode(query, token));
            Assert.Throws<PageTokenMismatchException>(() => PageToken.Decode(query + "x", token));
        });

    [Fact]
    public void Garbage_is_refused() =>
        Gen.String.Sample(token => Assert.Throws<PageTokenMismatchException>(() => PageToken.Decode("q", token)));

    [Fact]
    public void Token_cut_short_is_refused()
    {
        var token = PageToken.Encode("q", "12|abc");
        for (var length = 0; length < token.Length; length++)
        {
            Assert.Throws<PageTokenMismatchException>(() => PageToken.Decode("q", token[..length]));
        }
    }
}
