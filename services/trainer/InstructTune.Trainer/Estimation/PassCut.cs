using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.Estimation;

/// <summary>
/// Cuts an optimizer step into passes. The bound is a constant and follows from the model alone, so that the cut, and with it every bit of the
/// result, does not depend on the machine, nor on whether layers are computed again.
/// </summary>
/// <param name="memory">Of the stage.</param>
/// <param name="halvings">How often the device ran out of memory before: passes have half the size then.</param>
internal sealed class PassCut(StageMemory memory, int halvings)
{
    private const long KeptBytes = 1L << 30;

    // Where no layer is trained, none keeps anything: passes are not cut for that.
    private const long LeastBytesPerToken = 1;

    public IReadOnlyList<IReadOnlyList<TokenizedExample>> Cut(IEnumerable<TokenizedExample> rows, int microBatchSize) =>
        MicroBatches.Cut(rows, Math.Max(1, microBatchSize >> halvings), (KeptBytes >> halvings) / Math.Max(LeastBytesPerToken, memory.BytesPerToken(recomputes: false)));
}
