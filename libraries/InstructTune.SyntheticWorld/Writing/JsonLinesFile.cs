using System.Text.Encodings.Web;
using System.Text.Json;

namespace InstructTune.SyntheticWorld.Writing;

/// <summary>Rows as JSON Lines with the keys <c>instruction input output task choices</c>, or <c>text task</c> for plain text.</summary>
public static class JsonLinesFile
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Stream stream, IEnumerable<WorldRow> rows)
    {
        foreach (var row in rows)
        {
            using (var json = new Utf8JsonWriter(stream, Options))
            {
                WriteRow(json, row);
            }

            stream.WriteByte((byte)'\n');
        }
    }

    private static void WriteRow(Utf8JsonWriter json, WorldRow row)
    {
        json.WriteStartObject();
        if (row.IsText)
        {
            json.WriteString("text", row.Output);
        }
        else
        {
            json.WriteString("instruction", row.Instruction);
            json.WriteString("input", row.Input);
            json.WriteString("output", row.Output);
        }

        json.WriteString("task", row.Task);
        if (row.Choices.Count > 0)
        {
            json.WriteStartArray("choices");
            foreach (var choice in row.Choices)
            {
                json.WriteStringValue(choice);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
