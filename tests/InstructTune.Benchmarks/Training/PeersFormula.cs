namespace InstructTune.Benchmarks.Training;

/// <summary>
/// The memory that eager training in float32 is reckoned to take: weights, gradients, two moments, what each layer keeps for its backward pass
/// with eager norms, and logits of the whole batch with their gradient.
/// </summary>
internal static class PeersFormula
{
    public static long Bytes(TrainingRow row)
    {
        var config = row.Config;
        long width = config.ModelWidth, feedForward = config.FeedForwardWidth, keyValue = config.KeyValueHeads * config.HeadWidth;
        var layer = (2 * width * (width + keyValue)) + (3 * width * feedForward);
        var weights = (config.LayerCount * layer) + (config.VocabularySize * width * (config.TiedEmbeddings ? 1 : 2));
        var trained = row.Rank == 0
            ? weights
            : config.LayerCount * row.Rank * ((2 * (width + width)) + (2 * (width + keyValue)) + (3 * (width + feedForward)));
        var tokens = row.Batches.Max(batch => batch.Count * batch.Max(example => example.Ids.Length));
        var keptByLayer = (sizeof(float) * ((7 * width) + (2 * keyValue) + (4 * feedForward))) + (16 * width);
        return (sizeof(float) * (weights + (3 * trained)))
            + (tokens * ((config.LayerCount * keptByLayer) + (2L * sizeof(float) * config.VocabularySize)));
    }
}
