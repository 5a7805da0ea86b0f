using InstructTune.Hosting;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>The faults of this service as errors of the API.</summary>
internal static class FaultTranslation
{
    public static async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (InferenceFault fault)
        {
            throw new DomainException(ReasonOf(fault.Kind), fault.Message, [.. fault.Metadata]) { RetryDelay = fault.RetryAfter };
        }
        catch (InvalidFieldsException exception)
        {
            FieldViolations violations = new();
            foreach (var (field, problem) in exception.Problems)
            {
                violations.Check(false, field, problem);
            }
            violations.ThrowIfAny();
            throw;
        }
    }

    private static ErrorReason ReasonOf(FaultKind kind) => kind switch
    {
        FaultKind.ModelNotFound => ErrorReason.ResourceNotFound,
        FaultKind.PromptTooLong => ErrorReason.PromptTooLong,
        FaultKind.QueueFull => ErrorReason.QueueFull,
        FaultKind.PeerUnreachable => ErrorReason.PeerUnreachable,
        FaultKind.ModelDoesNotFit => ErrorReason.ModelDoesNotFit,
        FaultKind.PromptFormatMissing => ErrorReason.PromptFormatMissing,
        FaultKind.Stopping => ErrorReason.Draining,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, message: null),
    };
}
