using System.Text.Json;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;

namespace InstructTune.Benchmarks.Training;

/// <summary>Rows with the lengths of LIMA's examples in nano's tokens; what they say has no part in the time they take.</summary>
internal static class LimaRows
{
    private const int Examples = 64;
    private const int RowTokens = 2048;
    private const int BatchRows = 16;

    /// <summary>Two rows of the table over the same examples, unpacked and packed; none where the data is not there.</summary>
    public static IEnumerable<TrainingRow> Of(string? fixtures)
    {
        var (data, model) = (Path.Combine(fixtures ?? "", "../data/generalist/lima.json"), Path.Combine(fixtures ?? "", "../models/nano"));
        if (!File.Exists(data) || !Directory.Exists(model))
        {
            Console.WriteLine($"lima rows are left out: there is no {data} or no {model}; set INSTRUCTTUNE_FIXTURES");
            yield break;
        }

        var lengths = Lengths(data, Tokenizer.Load(model));
        var examples = SeededPermutation.Subset(lengths.Count, Examples, new StepSeed(5))
            .Select(index => TrainingRow.Example(KnownShapes.Nano, Math.Min(RowTokens, lengths[index]), index)).ToArray();
        var unpacked = examples.Chunk(BatchRows).ToArray();
        var packed = PackingPlan.Of([.. examples.Select(example => example.Ids.Length)], RowTokens)
            .Select(row => TokenizedExample.Pack([.. row.Select(index => examples[index])])).Chunk(BatchRows / 2).ToArray();
        yield return new TrainingRow("nano-lima-unpacked", KnownShapes.Nano, 0, unpacked, Steps: unpacked.Length);
        yield return new TrainingRow("nano-lima-packed", KnownShapes.Nano, 0, packed, Steps: packed.Length);
    }

    private static List<int> Lengths(string path, Tokenizer tokenizer)
    {
        var encoder = new PromptEncoder(PromptFormat.Get("alpaca"), tokenizer);
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. document.RootElement.EnumerateArray().Select(record => encoder.EncodeExample(
            record.GetProperty("instruction").GetString()!, "", record.GetProperty("output").GetString()!).Ids.Length)];
    }
}
