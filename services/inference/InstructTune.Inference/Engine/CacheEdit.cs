namespace InstructTune.Inference.Engine;

/// <summary>
/// A change of the cache memory that is not the work of a step: blocks copied, as by memmove, or zeroed. Edits are made in their order
/// and before the step of their plan, so that blocks can be given away as soon as the copy out of them is on the list.
/// </summary>
internal readonly record struct CacheEdit(int From, int To, int Blocks)
{
    private const int Nowhere = -1;

    public bool IsClear => From == Nowhere;

    public static CacheEdit Clear(Slot slot) => new(Nowhere, slot.FirstBlock, slot.Blocks);
}
