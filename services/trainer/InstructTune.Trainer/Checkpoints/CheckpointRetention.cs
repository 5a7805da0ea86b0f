namespace InstructTune.Trainer.Checkpoints;

/// <summary>Which checkpoints of a job stay. Pure.</summary>
internal static class CheckpointRetention
{
    /// <summary>
    /// The newest ones; the last of every stage, from which other jobs may start; and of every stage with validation the best, the earlier of two equally good.
    /// </summary>
    /// <param name="newestFirst">The accepted checkpoints, newest first.</param>
    /// <param name="keepLast">How many of the newest.</param>
    /// <returns>Those kept, newest first.</returns>
    public static IReadOnlyList<KeptCheckpoint> Kept(IReadOnlyList<KeptCheckpoint> newestFirst, int keepLast)
    {
        var best = newestFirst
            .Where(checkpoint => checkpoint.Cost is not null)
            .Reverse()
            .GroupBy(checkpoint => checkpoint.StageId, StringComparer.Ordinal)
            .Select(stage => stage.MinBy(checkpoint => checkpoint.Cost)!.Reference)
            .ToHashSet(StringComparer.Ordinal);
        return [.. newestFirst.Where((checkpoint, index) => index < keepLast || checkpoint.IsStageEnd || best.Contains(checkpoint.Reference))];
    }
}
