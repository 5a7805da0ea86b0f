namespace InstructTune.Inference.Engine;

/// <summary>How much one step may hold, and how many sequences of one base run at once.</summary>
internal sealed record SchedulerLimits(int TokenBudget, int MaxRunning)
{
    /// <summary>
    /// Room that is reserved for output when a sequence starts; it gets more when it needs it. Less lets more run at once, and more of them
    /// be thrown out and computed again.
    /// </summary>
    public int ReservedOutputTokens { get; init; } = int.MaxValue;

    /// <summary>Memory of one base for prefixes, out of that for keys and values.</summary>
    public long PrefixBytes { get; init; }

    /// <summary>Of that, the share of one tenant while others want the room.</summary>
    public long PrefixTenantBytes { get; init; } = long.MaxValue;

    /// <summary>While a text is being made, a step gets no more rows of prompts than this holds; one block in any case.</summary>
    public double StepSeconds { get; init; } = double.PositiveInfinity;

    /// <summary>In units of the engine's clock: who has waited for so long counts as one step more urgent.</summary>
    public long AgingTicks { get; init; } = long.MaxValue;

    /// <summary>Shares of tenants; 1 for all others.</summary>
    public IReadOnlyDictionary<string, double> TenantWeights { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>Room for a prompt chunk beside a decode row of every running sequence: no prompt can starve.</summary>
    public bool LeavesRoomForPrompts => TokenBudget >= MaxRunning + Sequence.ChunkTokens;
}
