using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Import;

public sealed class OtherReaderTests : IDisposable
{
    private readonly SourceFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Json_lines_reads_every_field_by_its_default_column()
    {
        var file = _folder.Write("a.jsonl", """
            {"instruction":"i","input":"n","output":"yes","references":["yes","y"],"choices":["yes","no"],"task":"t"}
            {"text":"plain"}
            """);

        var (examples, _) = SourceFolder.Import(new SourceOptions { Format = SourceFormat.JsonLines, Task = "other" }, file);

        Assert.Equal(new InstructionPrompt("i", "n"), examples[0].Prompt);
        Assert.Equal(("yes", "t"), (examples[0].Output, examples[0].Task));
        Assert.Equal(["yes", "y"], examples[0].References);
        Assert.Equal(["yes", "no"], examples[0].Choices);
        Assert.Equal((new TextPrompt("plain"), "other"), (examples[1].Prompt, examples[1].Task));
    }

    [Fact]
    public void Json_lines_reads_the_columns_that_the_caller_names()
    {
        var file = _folder.Write("a.jsonl", """{"question":"q","answer":"a","instruction":"ignored"}""");
        var columns = new Dictionary<string, string> { ["instruction"] = "question", ["output"] = "answer" };

        var (examples, report) = SourceFolder.Import(new SourceOptions { Columns = columns }, file);

        Assert.Equal((new InstructionPrompt("q", ""), "a"), (Assert.Single(examples).Prompt, examples[0].Output));
        Assert.Equal(SourceFormat.JsonLines, report.DetectedFormat);
    }

    [Fact]
    public void Json_lines_takes_the_first_reference_where_there_is_no_output()
    {
        var file = _folder.Write("a.jsonl", """{"instruction":"q","references":["a","b"]}""");

        Assert.Equal("a", Assert.Single(SourceFolder.Import(new SourceOptions { Format = SourceFormat.JsonLines }, file).Examples).Output);
    }

    [Fact]
    public void Json_lines_rejects_an_output_that_is_none_of_the_choices()
    {
        var file = _folder.Write("a.jsonl", """{"instruction":"q","output":"c","choices":["a","b"]}""");

        Assert.Contains(
            "output is none of choices",
            SourceFolder.Refused(new SourceOptions { Format = SourceFormat.JsonLines }, file).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"Do it.\"", "\"b\"")]
    [InlineData("[\"Do it.\", \"Other wording.\"]", "[\"b\", \"B\"]")]
    public void Natural_instructions_reads_lists_and_plain_strings(string definition, string output)
    {
        var file = _folder.Write("task007_x.json", $$"""
            {"Definition": {{definition}}, "Positive Examples": [{"input":"p","output":"q"}], "Instances": [{"id":"1","input":"a","output":{{output}}}]}
            """);

        var (examples, report) = SourceFolder.Import(new SourceOptions { Task = "unused" }, file);

        var example = Assert.Single(examples);
        Assert.Equal(new InstructionPrompt("Do it.", "a"), example.Prompt);
        Assert.Equal(("b", "task007_x", "b"), (example.Output, example.Task, example.References[0]));
        Assert.Equal(SourceFormat.NaturalInstructions, report.DetectedFormat);
    }

    [Fact]
    public void Natural_instructions_rejects_an_instance_without_an_answer_by_its_position()
    {
        var file = _folder.Write("t.json", """
            {"Definition": ["d"], "Instances": [{"input":"a","output":["b"]}, {"input":"c","output":[]}]}
            """);

        var refused = SourceFolder.Refused(new SourceOptions(), file);

        Assert.Equal(("t.json", 2), (refused.FileName, refused.Position));
    }

    [Fact]
    public void Plain_text_is_cut_at_blank_lines()
    {
        var file = _folder.Write("a.txt", "\uFEFFone\r\ntwo\r\n\r\n \t\nthree\n");

        var (examples, _) = SourceFolder.Import(new SourceOptions(), file);

        Assert.Equal([new TextPrompt("one\ntwo"), new TextPrompt("three")], examples.Select(e => (TextPrompt)e.Prompt));
    }

    [Fact]
    public void Plain_text_rejects_the_document_with_a_line_that_is_not_utf8()
    {
        byte[] bytes = [.. "good\n\nbad "u8, 0xE9, .. "\nrest\n\nalso good"u8];

        var (examples, report) = SourceFolder.Import(
            new SourceOptions { MaxRejected = 1 }, _folder.Write("a.txt", bytes));

        Assert.Equal(["good", "also good"], examples.Select(e => ((TextPrompt)e.Prompt).Text));
        Assert.Equal((3, "not UTF-8"), (Assert.Single(report.Rejections).Position, report.Rejections[0].Description));
    }
}
