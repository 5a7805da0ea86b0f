using InstructTune.Hosting;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Weights;

namespace InstructTune.Inference.Api;

/// <summary>The faults of this service as errors of the API.</summary>
internal static class FaultTranslation
{
    private const string NonFiniteMessage = "The model's logits are not finite: its weights are broken, or too large for float32.";

    public static T Run<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (InferenceFault fault)
        {
            throw ToDomain(fault);
        }
    }

    public static async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (InferenceFault fault)
        {
            throw ToDomain(fault);
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

    private static DomainException ToDomain(InferenceFault fault) =>
        new(ReasonOf(fault.Kind), fault.Message, [.. fault.Metadata]) { RetryDelay = fault.RetryAfter };

    private static ErrorReason ReasonOf(FaultKind kind) => kind switch
    {
        FaultKind.ModelNotFound => ErrorReason.ResourceNotFound,
        FaultKind.PromptTooLong => ErrorReason.PromptTooLong,
        FaultKind.QueueFull => ErrorReason.QueueFull,
        FaultKind.PeerUnreachable => ErrorReason.PeerUnreachable,
        FaultKind.ModelDoesNotFit => ErrorReason.ModelDoesNotFit,
        FaultKind.PromptFormatMissing => ErrorReason.PromptFormatMissing,
        FaultKind.WeightFormatNotServed => ErrorReason.WeightFormatNotServed,
        FaultKind.Stopping => ErrorReason.Draining,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, message: null),
    };
}
