using System.Text.Json;
using InstructTune.Modeling.Tokenization;
using InstructTune.Numerics.Tests.Training;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>The tokenizers of the reference masks; they come without tokenizer_config.json, and setup.json says what it would hold.</summary>
internal static class ReferenceTokenizer
{
    public static IReadOnlyList<string> Names => [.. Setup.EnumerateObject().Select(property => property.Name)];

    public static JsonElement Setup => ReferenceOutputs.Json("masks", "setup.json").GetProperty("tokenizers");

    public static Tokenizer Load(string name)
    {
        var folder = Directory.CreateTempSubdirectory("instructtune-").FullName;
        try
        {
            File.Copy(ReferenceOutputs.Folder("tokenizers", name, "tokenizer.json"), Path.Combine(folder, "tokenizer.json"));
            var setup = Setup.GetProperty(name);
            var config = new Dictionary<string, string?>
            {
                ["bos_token"] = setup.GetProperty("bos").GetString(),
                ["eos_token"] = setup.GetProperty("eos").GetString(),
                ["pad_token"] = setup.GetProperty("pad").GetString(),
                ["chat_template"] = setup.GetProperty("chat_template").GetString(),
            };
            using (var file = File.Create(Path.Combine(folder, "tokenizer_config.json")))
            {
                JsonSerializer.Serialize(file, config);
            }

            return Tokenizer.Load(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static bool[] Marks(JsonElement spans, int count)
    {
        var trained = new bool[count];
        foreach (var span in spans.EnumerateArray())
        {
            Array.Fill(trained, value: true, span[0].GetInt32(), span[1].GetInt32() - span[0].GetInt32());
        }

        return trained;
    }

    public static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(id => id.GetInt32())];

    public static string Text(JsonElement row, string key) => row.TryGetProperty(key, out var text) ? text.GetString() ?? "" : "";
}
