using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Adapters;

/// <summary>Compares the tensors of an adapter's file with the plan of its configuration.</summary>
internal static class AdapterFileCheck
{
    public static void RefuseMismatch(SafetensorsReader file, IReadOnlyList<PlannedTensor> plan, LoraConfig config, LlamaConfig model)
    {
        var expected = plan.Select(p => p.Key).ToHashSet(StringComparer.Ordinal);
        var extra = file.Entries.Select(e => e.Name).Where(n => !expected.Contains(n)).Order(StringComparer.Ordinal).ToList();
        if (extra.Count > 0)
        {
            throw new ModelFormatException(file.FileName, string.Join(", ", extra.Take(8)), "unexpected: the configuration and the base model have no such tensor");
        }

        var missing = plan.Where(p => p.Part != AdapterPart.EmbeddingBase && file.Find(p.Key) is null).Select(p => p.Key).ToList();
        if (missing.Count > 0)
        {
            throw new ModelFormatException(file.FileName, string.Join(", ", missing.Take(8)), "missing");
        }

        foreach (var planned in plan)
        {
            if (file.Find(planned.Key) is { } entry && !entry.Shape.SequenceEqual(planned.Shape))
            {
                throw new ModelFormatException(file.FileName, planned.Key, Mismatch(file, planned, entry, config, model));
            }
        }
    }

    private static string Mismatch(SafetensorsReader file, PlannedTensor planned, TensorEntry entry, LoraConfig config, LlamaConfig model)
    {
        if (planned.Part == AdapterPart.A && entry.Shape.Count == 2)
        {
            if (entry.Shape[1] != planned.Shape[1])
            {
                var what = planned.Shape[1] == model.ModelWidth ? "hidden size" : "input width";
                return $"{what} {entry.Shape[1]} in the file, {planned.Shape[1]} in the base model";
            }

            return $"rank {entry.Shape[0]} in the file, {config.RankOf(planned.Module)} in the configuration";
        }

        if (planned.Part == AdapterPart.B && entry.Shape.Count == 2 && entry.Shape[1] != planned.Shape[1])
        {
            var a = file.Find(planned.Key.Replace(".lora_B.", ".lora_A.", StringComparison.Ordinal));
            return $"ranks of A and B differ: {a?.Shape[0]} and {entry.Shape[1]}";
        }

        return $"has shape {entry.ShapeText}; it must be {TensorEntry.ShapeToText(planned.Shape)}";
    }
}
