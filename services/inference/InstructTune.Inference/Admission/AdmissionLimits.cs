namespace InstructTune.Inference.Admission;

/// <summary>How much may wait: requests, and tokens of their prompts.</summary>
internal sealed record AdmissionLimits(int MaxWaitingRequests, long MaxWaitingTokens);
