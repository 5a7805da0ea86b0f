using InstructTune.Modeling.Numerics;

namespace InstructTune.Modeling.Training;

/// <summary>
/// Batches of rows of like length, as Hugging Face's <c>group_by_length</c>: a shuffled order is cut into windows of fifty batches, each is sorted by
/// length, and its batches are shuffled again, so that the loss does not follow the length. Pure.
/// </summary>
public static class LengthGroups
{
    private const int WindowBatches = 50;

    /// <summary>The rows of <paramref name="order"/> in groups. A last batch with fewer rows stays last.</summary>
    /// <param name="order">Indices of rows, shuffled.</param>
    /// <param name="lengths">Tokens of each row.</param>
    /// <param name="batchSize">Rows of a batch.</param>
    /// <param name="seed">Of the order of batches.</param>
    public static int[] Arrange(IReadOnlyList<int> order, IReadOnlyList<int> lengths, int batchSize, StepSeed seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var result = new List<int>(order.Count);
        foreach (var (window, rows) in order.Chunk(batchSize * WindowBatches).Index())
        {
            var batches = rows.OrderByDescending(row => lengths[row]).Chunk(batchSize).ToArray();
            var whole = batches.Count(batch => batch.Length == batchSize);
            foreach (var index in SeededPermutation.Of(whole, seed.Derive("window", window)).Concat(Enumerable.Range(whole, batches.Length - whole)))
            {
                result.AddRange(batches[index]);
            }
        }

        return [.. result];
    }
}
