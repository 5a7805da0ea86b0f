namespace InstructTune.Inference.Engine;

/// <summary>How much one step may hold, and how many sequences of one base run at once.</summary>
internal sealed record SchedulerLimits(int TokenBudget, int MaxRunning)
{
    /// <summary>Room for a prompt chunk beside a decode row of every running sequence: no prompt can starve.</summary>
    public bool LeavesRoomForPrompts => TokenBudget >= MaxRunning + Sequence.ChunkTokens;
}
