using System.Text.Json;

namespace InstructTune.SyntheticWorld.Writing;

/// <summary>
/// Rows as task files of Natural Instructions: one file for each task and each wording of it, because such a file has one
/// definition.
/// </summary>
public static class TaskFiles
{
    /// <summary>The rows of each file, by the file's name.</summary>
    public static IEnumerable<(string FileName, IReadOnlyList<WorldRow> Rows)> Group(IEnumerable<WorldRow> rows) => rows
        .GroupBy(row => row.Task)
        .OrderBy(task => task.Key, StringComparer.Ordinal)
        .SelectMany(task => task
            .GroupBy(row => row.Instruction)
            .OrderBy(wording => wording.Key, StringComparer.Ordinal)
            .Select((wording, i) => ($"{task.Key}_wording{i + 1:d3}.json", (IReadOnlyList<WorldRow>)[.. wording])));

    /// <summary>Writes one file; all rows have the same instruction.</summary>
    public static void Write(Stream stream, IReadOnlyList<WorldRow> rows)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        WriteList(json, "Contributors", "InstructTune.SyntheticWorld");
        WriteList(json, "Source", "synthetic");
        WriteList(json, "Categories", rows[0].Task);
        WriteList(json, "Definition", rows[0].Instruction);
        WriteList(json, "Input_language", "English");
        WriteList(json, "Output_language", "English");
        WriteList(json, "Instruction_language", "English");
        json.WriteStartArray("Positive Examples");
        json.WriteEndArray();
        json.WriteStartArray("Instances");
        for (var i = 0; i < rows.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("id", $"{rows[i].Task}-{i + 1:d6}");
            json.WriteString("input", rows[i].Input);
            WriteList(json, "output", rows[i].Output);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, string item)
    {
        json.WriteStartArray(name);
        json.WriteStringValue(item);
        json.WriteEndArray();
    }
}
