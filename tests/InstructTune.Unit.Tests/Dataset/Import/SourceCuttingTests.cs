using System.Text;
using System.Text.Json;
using CsCheck;
using InstructTune.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Import;

public sealed class SourceCuttingTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Fact]
    public void Any_array_of_strings_is_cut_into_its_elements() => Gen.String[Gen.Char, 0, 20].List[0, 30].Sample(texts =>
    {
        var json = JsonSerializer.Serialize(texts, Indented);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));

        var elements = new JsonArraySource(stream, "a").Read()
            .Select(e => JsonSerializer.Deserialize<string>(e.Bytes.Span)!).ToList();

        // Half surrogates are written as U+FFFD by the serializer.
        return elements.SequenceEqual(JsonSerializer.Deserialize<List<string>>(json)!);
    });

    [Fact]
    public void Any_lines_come_back_as_they_were() => Gen.String[Gen.Char.AlphaNumeric, 0, 5].List[1, 50].Sample(lines =>
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n"))));

        var read = LineSource.Read(stream).Select(l => Encoding.UTF8.GetString(l.Bytes.Span)).ToList();

        return read.SequenceEqual(lines);
    });

    [Fact]
    public void Only_a_line_feed_ends_a_line()
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes("a\u2028b\u0085c\rd\r\ne"));

        Assert.Equal(["a\u2028b\u0085c\rd", "e"], LineSource.Read(stream).Select(l => Encoding.UTF8.GetString(l.Bytes.Span)));
    }

    [Fact]
    public void A_line_over_the_limit_is_skipped_and_the_next_one_is_read()
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 200_000) + "\nshort\n"));

        var lines = LineSource.Read(stream, 100_000).Select(l => (l.Number, l.IsTooLong, Encoding.UTF8.GetString(l.Bytes.Span))).ToList();

        Assert.Equal([(1, true, ""), (2, false, "short")], lines);
    }
}
