using System.Text.Json;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Numerics.Tests.Training;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>Against ids and masks of the Alpaca template by other programs.</summary>
public sealed class ReferenceMaskTests
{
    [Theory]
    [InlineData("llama2")]
    [InlineData("llama3")]
    public void Every_row_gives_the_reference_ids_and_trained_tokens(string name)
    {
        using var folder = TokenizerFolder.With(name);
        var encoder = new PromptEncoder(PromptFormat.Get("alpaca"), Tokenizer.Load(folder.Path));
        var rows = ReferenceOutputs.JsonLines("masks", "rows.jsonl").ToDictionary(r => r.GetProperty("id").GetString()!);
        foreach (var expected in ReferenceOutputs.JsonLines("masks", $"alpaca.{name}.jsonl"))
        {
            var row = rows[expected.GetProperty("row").GetString()!];
            var split = expected.GetProperty("split");
            var ids = split.GetProperty("ids") is { ValueKind: JsonValueKind.Array } own ? own : expected.GetProperty("joint").GetProperty("ids");

            var example = encoder.EncodeExample(Text(row, "instruction"), Text(row, "input"), Text(row, "output"));

            Assert.Equal(ids.EnumerateArray().Select(i => i.GetInt32()), example.Ids);
            Assert.Equal(Trained(split.GetProperty("trained"), example.Ids.Length), example.Trained);
        }
    }

    private static bool[] Trained(JsonElement spans, int count)
    {
        var trained = new bool[count];
        foreach (var span in spans.EnumerateArray())
        {
            Array.Fill(trained, value: true, span[0].GetInt32(), span[1].GetInt32() - span[0].GetInt32());
        }

        return trained;
    }

    private static string Text(JsonElement row, string key) => row.TryGetProperty(key, out var text) ? text.GetString() ?? "" : "";

    // The reference tokenizers come without tokenizer_config.json; setup.json says what it would hold.
    private sealed record TokenizerFolder(string Path) : IDisposable
    {
        public static TokenizerFolder With(string name)
        {
            var path = Directory.CreateTempSubdirectory("instructtune-").FullName;
            File.Copy(ReferenceOutputs.Folder("tokenizers", name, "tokenizer.json"), System.IO.Path.Combine(path, "tokenizer.json"));
            var setup = ReferenceOutputs.Json("masks", "setup.json").GetProperty("tokenizers").GetProperty(name);
            var config = new Dictionary<string, string?>
            {
                ["bos_token"] = setup.GetProperty("bos").GetString(),
                ["eos_token"] = setup.GetProperty("eos").GetString(),
                ["pad_token"] = setup.GetProperty("pad").GetString(),
            };
            using var file = File.Create(System.IO.Path.Combine(path, "tokenizer_config.json"));
            JsonSerializer.Serialize(file, config);
            return new TokenizerFolder(path);
        }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
