namespace InstructTune.Inference.Engine;

/// <summary>One pass through one base: these chunks share every matrix product, whatever adapter each one uses.</summary>
internal sealed record StepPlan(string BaseKey, IReadOnlyList<Chunk> Chunks)
{
    public int Rows { get; } = Chunks.Sum(chunk => chunk.Rows);
}
