using System.Buffers;
using System.Text;
using System.Text.Json;
using CsCheck;
using InstructTune.Dataset.Examples;

namespace InstructTune.Unit.Tests.Dataset.Examples;

public sealed class CanonicalFormTests
{
    // Any text that UTF-8 can hold, control characters and quotes among it.
    private static readonly Gen<string> Text = Gen.Char.Where(c => !char.IsSurrogate(c)).Array[0, 12].Select(c => new string(c));

    private static readonly Gen<Prompt> Prompts = Gen.OneOf<Prompt>(
        Gen.Select(Text, Text, (a, b) => (Prompt)new InstructionPrompt(a, b)),
        Text.Select(t => (Prompt)new TextPrompt(t)),
        Text.Select(t => (Prompt)new RawPrompt(t)));

    [Fact]
    public void Any_example_comes_back_as_it_was() =>
        Gen.Select(Prompts, Text, Text.Array[0, 3], Text.Array[0, 3], Text).Sample((prompt, output, references, choices, task) =>
        {
            var line = Line(new Example(prompt, output) { References = references, Choices = choices, Task = task });
            var read = CanonicalForm.Read(line.AsMemory(0, line.Length - 1));
            return read.Prompt == prompt && read.Output == output && read.Task == task
                && read.References.SequenceEqual(references) && read.Choices.SequenceEqual(choices) && Line(read).SequenceEqual(line);
        });

    [Fact]
    public void Every_line_is_one_line_of_json_to_other_readers() => Text.Sample(text =>
    {
        var line = Line(new Example(new TextPrompt(text), ""));
        return line.AsSpan().IndexOf((byte)'\n') == line.Length - 1
            && JsonDocument.Parse(line).RootElement.GetProperty("text").GetString() == text;
    });

    [Fact]
    public void The_bytes_are_the_documented_ones()
    {
        var example = new Example(new InstructionPrompt("say \"h\u00e9\"\n\u0001", ""), "y")
        {
            Choices = ["y", "n"],
            Labels = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" },
        };

        Assert.Equal(
            """{"instruction":"say \"hé\"\n\u0001","output":"y","choices":["y","n"],"labels":{"a":"1","b":"2"}}""" + "\n",
            Encoding.UTF8.GetString(Line(example)));
    }

    [Fact]
    public void A_conversation_keeps_its_turns_in_order()
    {
        var prompt = new ConversationPrompt([new Turn("user", "a"), new Turn("assistant", "b")]);

        var line = Line(new Example(prompt, ""));

        Assert.Equal(prompt.Turns, Assert.IsType<ConversationPrompt>(CanonicalForm.Read(line).Prompt).Turns);
    }

    private static byte[] Line(Example example)
    {
        var output = new ArrayBufferWriter<byte>();
        CanonicalForm.Write(example, output);
        return output.WrittenSpan.ToArray();
    }
}
