namespace InstructTune.Inference.Engine;

/// <summary>Which requests of one tenant run first. The last one runs in what all tenants leave idle.</summary>
internal enum Urgency
{
    Interactive,
    Standard,
    Batch,
}

/// <summary>Whose request it is and how urgent: what the order of starts depends on, beside the time of arrival.</summary>
internal sealed record Standing(string Tenant, Urgency Urgency)
{
    public static Standing Default { get; } = new("default", Urgency.Standard);
}
