using InstructTune.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Import;

public sealed class FormatDetectorTests : IDisposable
{
    private readonly SourceFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.json", """[{"instruction":"a","output":"b"}]""", nameof(SourceFormat.AlpacaJson))]
    [InlineData("a.jsonl", """{"instruction":"a","output":"b","history":[]}""", nameof(SourceFormat.AlpacaJson))]
    [InlineData("a.jsonl", """{"instruction":"a","output":"b","choices":["b"]}""", nameof(SourceFormat.JsonLines))]
    [InlineData("a.jsonl", """{"text":"b"}""", nameof(SourceFormat.JsonLines))]
    [InlineData("a.json", """{"Definition":["a"],"Instances":[]}""", nameof(SourceFormat.NaturalInstructions))]
    [InlineData("a.txt", """{"instruction":"a"}""", nameof(SourceFormat.PlainText))]
    public void The_keys_tell_the_format(string name, string text, string expected) =>
        Assert.Equal(expected, FormatDetector.Detect([_folder.Write(name, text)]).ToString());

    [Fact]
    public void Records_that_do_not_agree_are_refused_with_what_was_found()
    {
        var file = _folder.Write("a.jsonl", """
            {"instruction":"a","output":"b","history":[]}
            {"text":"b"}
            {"text":"c"}
            """);

        var refused = Assert.Throws<SourceInvalidException>(() => FormatDetector.Detect([file]));

        Assert.Contains("1 like ALPACA_JSON, 2 like JSON_LINES", refused.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_two_formats_are_refused_and_both_are_named()
    {
        var refused = Assert.Throws<SourceInvalidException>(() => FormatDetector.Detect(
            [_folder.Write("first.jsonl", """{"text":"b"}"""), _folder.Write("second.txt", "words")]));

        Assert.Equal("second.txt", refused.FileName);
        Assert.Contains("first.jsonl", refused.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x7B, 0x00 }, "UTF-16")]
    [InlineData(new byte[] { 0x7B, 0x00, 0x22, 0x00 }, "UTF-16")]
    [InlineData(new byte[] { 0x1F, 0x8B, 0x08, 0x00 }, "gzip")]
    public void Bytes_that_are_no_utf8_text_are_named_for_what_they_are(byte[] bytes, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<SourceInvalidException>(() => FormatDetector.Detect([_folder.Write("a.jsonl", bytes)])).Problem,
            StringComparison.Ordinal);
}
