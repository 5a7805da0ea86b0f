using System.Buffers;
using System.Text.Json;

namespace InstructTune.Dataset.Examples;

/// <summary>
/// The stored form: one JSON object a line, keys in a fixed order, empty fields left out. Equal examples give equal bytes, and the
/// SHA-256 of all lines is the content of a version.
/// </summary>
internal static class CanonicalForm
{
    public static void Write(Example example, IBufferWriter<byte> output)
    {
        var writer = new CanonicalWriter(output);
        writer.Open('{');
        WritePrompt(writer, example.Prompt);
        if (example.Output.Length > 0)
        {
            writer.Member("output", example.Output);
        }

        WriteList(writer, "references", example.References);
        WriteList(writer, "choices", example.Choices);
        if (example.Task.Length > 0)
        {
            writer.Member("task", example.Task);
        }

        WriteLabels(writer, example.Labels);
        writer.Close('}');
        writer.EndLine();
    }

    /// <summary>The bytes that say which prompt this is: the same for all examples that ask the same.</summary>
    public static byte[] PromptBytes(Prompt prompt)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new CanonicalWriter(output);
        writer.Open('{');
        WritePrompt(writer, prompt);
        writer.Close('}');
        return output.WrittenSpan.ToArray();
    }

    public static Example Read(ReadOnlyMemory<byte> line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new Example(ReadPrompt(root), Text(root, "output"))
        {
            References = Texts(root, "references"),
            Choices = Texts(root, "choices"),
            Task = Text(root, "task"),
            Labels = root.TryGetProperty("labels", out var labels)
                ? labels.EnumerateObject().ToDictionary(l => l.Name, l => l.Value.GetString() ?? "")
                : new Dictionary<string, string>(),
        };
    }

    private static void WritePrompt(CanonicalWriter writer, Prompt prompt)
    {
        switch (prompt)
        {
            case InstructionPrompt instruction:
                writer.Member("instruction", instruction.Instruction);
                if (instruction.Input.Length > 0)
                {
                    writer.Member("input", instruction.Input);
                }

                break;
            case ConversationPrompt conversation:
                WriteTurns(writer, conversation.Turns);
                break;
            case RawPrompt raw:
                writer.Member("raw_prompt", raw.Text);
                break;
            case TextPrompt text:
                writer.Member("text", text.Text);
                break;
            default:
                throw new ArgumentException($"unknown kind of prompt: {prompt.GetType().Name}", nameof(prompt));
        }
    }

    private static void WriteTurns(CanonicalWriter writer, IReadOnlyList<Turn> turns)
    {
        writer.Key("turns");
        writer.Open('[');
        foreach (var turn in turns)
        {
            writer.Open('{');
            writer.Member("role", turn.Role);
            writer.Member("text", turn.Text);
            if (turn.Trained is { } trained)
            {
                writer.Member("trained", trained ? "yes" : "no");
            }

            writer.Close('}');
        }

        writer.Close(']');
    }

    private static void WriteList(CanonicalWriter writer, string key, IReadOnlyList<string> values)
    {
        if (values.Count > 0)
        {
            writer.Member(key, values);
        }
    }

    private static void WriteLabels(CanonicalWriter writer, IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count == 0)
        {
            return;
        }

        writer.Key("labels");
        writer.Open('{');
        foreach (var (key, value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            writer.Member(key, value);
        }

        writer.Close('}');
    }

    private static Prompt ReadPrompt(JsonElement root)
    {
        if (root.TryGetProperty("instruction", out var instruction))
        {
            return new InstructionPrompt(instruction.GetString() ?? "", Text(root, "input"));
        }

        if (root.TryGetProperty("turns", out var turns))
        {
            return new ConversationPrompt([.. turns.EnumerateArray().Select(t => new Turn(Text(t, "role"), Text(t, "text"), Trained(t)))]);
        }

        return root.TryGetProperty("raw_prompt", out var raw)
            ? new RawPrompt(raw.GetString() ?? "")
            : new TextPrompt(root.GetProperty("text").GetString() ?? "");
    }

    private static bool? Trained(JsonElement turn) => Text(turn, "trained") switch { "yes" => true, "no" => false, _ => null };

    private static string Text(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) ? value.GetString() ?? "" : "";

    private static string[] Texts(JsonElement element, string key) =>
        element.TryGetProperty(key, out var values) ? [.. values.EnumerateArray().Select(v => v.GetString() ?? "")] : [];
}
