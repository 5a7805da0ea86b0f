namespace InstructTune.Inference.Requests;

internal enum FaultKind
{
    ModelNotFound,
    PromptTooLong,
    QueueFull,
    PeerUnreachable,
    ModelDoesNotFit,
    PromptFormatMissing,
    WeightFormatNotServed,
    Stopping,
}

/// <summary>Why a request cannot be answered, in words for its caller. The API layer turns it into an error reason.</summary>
internal sealed class InferenceFault(FaultKind kind, string message, params (string Key, string Value)[] metadata) : Exception(message)
{
    public FaultKind Kind { get; } = kind;

    public IReadOnlyList<(string Key, string Value)> Metadata { get; } = metadata;

    /// <summary>For the counter of refusals.</summary>
    public string Cause { get; init; } = "queue_full";

    /// <summary>When trying again may help.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
