using InstructTune.Hosting;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Weights;

namespace InstructTune.Inference.Api;

/// <summary>The faults of this service as errors of the API.</summary>
internal static class FaultTranslation
{
    private const string NonFiniteMessage = "The model's logits are not finite: its weights are broken, or too large for float32.";

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
        catch (ModelFormatException exception)
        {
            throw new DomainException(
                ErrorReason.ModelFilesInvalid, exception.Message, ("file", exception.File), ("item", exception.Item), ("problem", exception.Problem));
        }
        catch (NonFiniteLogitsException)
        {
            throw new DomainException(ErrorReason.Internal, NonFiniteMessage, ("problem", CandidateStream.NonFinite));
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
