namespace InstructTune.Inference.Admission;

/// <summary>How much may wait: requests, and tokens of their prompts.</summary>
internal sealed record AdmissionLimits(int MaxWaitingRequests, long MaxWaitingTokens)
{
    /// <summary>Requests of one tenant, so that a flood of one leaves places to others.</summary>
    public int MaxWaitingPerTenant { get; init; } = MaxWaitingRequests;
}
