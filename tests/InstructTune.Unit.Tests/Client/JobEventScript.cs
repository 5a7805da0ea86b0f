using Google.Protobuf.WellKnownTypes;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Client;

/// <summary>Events of a job, one a second unless a test says otherwise.</summary>
internal static class JobEventScript
{
    private static readonly DateTime Start = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    public static JobEvent State(long sequence, JobState to, double second = 0) =>
        new() { Sequence = sequence, CreateTime = At(second), StateChanged = new() { To = to } };

    public static JobEvent Phase(long sequence, string phase) => new() { Sequence = sequence, CreateTime = At(0), PhaseStarted = new() { Phase = phase } };

    public static JobEvent Measured(long sequence, long step, long planned, double loss, double second, string stage = "specialist", int attempt = 1) => new()
    {
        Sequence = sequence,
        Attempt = attempt,
        CreateTime = At(second),
        MetricsReported = new()
        {
            Step = step, PlannedSteps = planned, StageId = stage, Values = { ["training_loss"] = loss, ["tokens_per_second"] = 1234.4 },
        },
    };

    private static Timestamp At(double second) => Timestamp.FromDateTime(Start.AddSeconds(second));
}
