using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Inference.Admission;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Inference.Serving;

namespace InstructTune.Inference.Api;

/// <summary>How calls that compute come in, and why they leave before their end.</summary>
internal sealed class CallEntrance(RequestDesk desk, RequestMetrics metrics, TimeProvider time)
{
    /// <summary>A place in the queue. The caller disposes it when the call ends, however it ends.</summary>
    public WaitingTicket Enter(string tenant, V1.Priority priority, ServerCallContext context) => FaultTranslation.Run(() => desk.Admit(
        new Standing(StandingReading.TenantOf(context.RequestHeaders, tenant), StandingReading.UrgencyOf(priority)),
        context.Deadline == DateTime.MaxValue ? null : context.Deadline - time.GetUtcNow().UtcDateTime));

    /// <summary>Counts a call that nobody waited for to its end.</summary>
    public void CountIfCancelled(ServerCallContext context, Exception exception)
    {
        if (exception is SlowReaderException)
        {
            metrics.RecordCancelled("slow_reader");
        }
        else if (exception is DomainException { Reason: ErrorReason.Draining })
        {
            metrics.RecordCancelled("shutdown");
        }
        else if (context.CancellationToken.IsCancellationRequested)
        {
            metrics.RecordCancelled(IsLate(context) ? "deadline" : "client");
        }
    }

    /// <summary>What the caller of a call that failed is told, or would be if it were still there.</summary>
    public StatusCode CodeOf(ServerCallContext context, Exception exception) => exception switch
    {
        DomainException failure => ErrorCatalog.CodeOf(failure.Reason),
        _ when context.CancellationToken.IsCancellationRequested && IsLate(context) => StatusCode.DeadlineExceeded,
        OperationCanceledException => StatusCode.Cancelled,
        _ => StatusCode.Internal,
    };

    private bool IsLate(ServerCallContext context) => context.Deadline <= time.GetUtcNow().UtcDateTime;
}
