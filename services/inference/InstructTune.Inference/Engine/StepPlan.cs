namespace InstructTune.Inference.Engine;

/// <summary>One pass through one base: these chunks share every matrix product, whatever adapter each one uses.</summary>
internal sealed record StepPlan(string BaseKey, IReadOnlyList<Chunk> Chunks)
{
    public int Rows { get; } = Chunks.Sum(chunk => chunk.Rows);

    /// <summary>To be made once, before the chunks are computed.</summary>
    public IReadOnlyList<CacheEdit> Edits { get; init; } = [];

    public int AdapterCount => Chunks.Select(chunk => chunk.Sequence.Model.AdapterKey).OfType<string>().Distinct(StringComparer.Ordinal).Count();
}
