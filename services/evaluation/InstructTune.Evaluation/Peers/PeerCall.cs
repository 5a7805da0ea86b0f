using Grpc.Core;

namespace InstructTune.Evaluation.Peers;

/// <summary>Every call to another service has a deadline.</summary>
internal static class PeerCall
{
    public static CallOptions Within(TimeSpan timeout, TimeProvider clock, CancellationToken ct) =>
        new(deadline: clock.GetUtcNow().UtcDateTime + timeout, cancellationToken: ct);
}
