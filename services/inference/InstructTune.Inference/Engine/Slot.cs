namespace InstructTune.Inference.Engine;

/// <summary>Room for the keys and values of one sequence: consecutive blocks of its base's cache.</summary>
internal sealed record Slot(int FirstBlock, int Blocks)
{
    public int CapacityTokens => Blocks * SlotPool.BlockTokens;
}
