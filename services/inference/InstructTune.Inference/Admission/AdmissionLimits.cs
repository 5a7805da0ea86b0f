namespace InstructTune.Inference.Admission;

/// <summary>How much may wait: requests, and tokens of their prompts.</summary>
internal sealed record AdmissionLimits(int MaxWaitingRequests, long MaxWaitingTokens)
{
    /// <summary>Requests of one tenant, so that a flood of one leaves places to others.</summary>
    public int MaxWaitingPerTenant { get; init; } = MaxWaitingRequests;

    /// <summary>Prompt tokens of one tenant, for the same reason.</summary>
    public long MaxWaitingTokensPerTenant { get; init; } = MaxWaitingTokens;

    /// <summary>With so many waiting, of whatever kind, what is in no hurry finds no place any more: it is what is given up first.</summary>
    public int MaxWaitingInNoHurry { get; init; } = MaxWaitingRequests;
}
