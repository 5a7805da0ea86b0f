using System.Text;
using InstructTune.Hosting;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>Requests about text, checked as far as they can be without a model.</summary>
internal static class TextReading
{
    private const int MaxBytes = 1024 * 1024;
    private const int MaxIds = 262_144;

    public static void Check(V1.TokenizeRequest request)
    {
        FieldViolations violations = new();
        ModelNames.Check(request.Model, violations);
        CheckSize(Encoding.UTF8.GetByteCount(request.Text), "text", violations);
        violations.ThrowIfAny();
    }

    public static void Check(V1.DetokenizeRequest request)
    {
        FieldViolations violations = new();
        ModelNames.Check(request.Model, violations);
        violations.Check(request.TokenIds.Count <= MaxIds, "token_ids", $"must have at most {MaxIds} entries");
        violations.ThrowIfAny();
    }

    public static PromptInput Read(V1.RenderPromptRequest request)
    {
        FieldViolations violations = new();
        ModelNames.Check(request.Model, violations);
        CheckSize(request.CalculateSize(), "input", violations);
        PromptInput input = new PromptInput.RawText("");
        switch (request.InputCase)
        {
            case V1.RenderPromptRequest.InputOneofCase.Instruction:
                input = PromptReading.ReadInstruction(request.Instruction, "instruction", violations);
                break;
            case V1.RenderPromptRequest.InputOneofCase.Conversation:
                input = PromptReading.ReadConversation(request.Conversation, "conversation", violations);
                violations.Check(!request.HasResponse, "response", "is for instructions only: a conversation holds its answers");
                break;
            default:
                violations.Check(false, "input", "must be one of instruction, conversation");
                break;
        }

        violations.ThrowIfAny();
        return input;
    }

    private static void CheckSize(int sizeBytes, string field, FieldViolations violations) =>
        violations.Check(sizeBytes <= MaxBytes, field, $"must have at most {MaxBytes} bytes");
}
