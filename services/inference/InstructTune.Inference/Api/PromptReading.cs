using InstructTune.Hosting;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Api;

/// <summary>Messages of prompts into records, checking all that can be checked without a model.</summary>
internal static class PromptReading
{
    private const int MaxTurns = 1024;

    private static readonly string[] _roles = ["system", "user", "assistant"];

    public static PromptInput Read(V1.GenerateRequest request, FieldViolations violations)
    {
        switch (request.InputCase)
        {
            case V1.GenerateRequest.InputOneofCase.Instruction:
                return ReadInstruction(request.Instruction, "instruction", violations);
            case V1.GenerateRequest.InputOneofCase.Conversation:
                return ReadConversation(request.Conversation, "conversation", violations);
            case V1.GenerateRequest.InputOneofCase.RawPrompt:
                return new PromptInput.RawText(request.RawPrompt);
            case V1.GenerateRequest.InputOneofCase.TokenIds:
                return ReadIds(request.TokenIds, "token_ids", violations);
            default:
                violations.Check(false, "input", "must be one of instruction, conversation, raw_prompt, token_ids");
                return new PromptInput.RawText("");
        }
    }

    public static PromptInput ReadContext(V1.ScoreRequest.Types.Item item, string field, FieldViolations violations)
    {
        switch (item.ContextCase)
        {
            case V1.ScoreRequest.Types.Item.ContextOneofCase.Prompt:
                return new PromptInput.RawText(item.Prompt);
            case V1.ScoreRequest.Types.Item.ContextOneofCase.Instruction:
                return ReadInstruction(item.Instruction, field + ".instruction", violations);
            case V1.ScoreRequest.Types.Item.ContextOneofCase.Conversation:
                return ReadConversation(item.Conversation, field + ".conversation", violations);
            case V1.ScoreRequest.Types.Item.ContextOneofCase.PromptTokenIds:
                return ReadIds(item.PromptTokenIds, field + ".prompt_token_ids", violations);
            default:
                violations.Check(false, field + ".context", "must be one of prompt, instruction, conversation, prompt_token_ids");
                return new PromptInput.RawText("");
        }
    }

    public static PromptInput.Instruction ReadInstruction(V1.Instruction message, string field, FieldViolations violations)
    {
        violations.Check(message.Instruction_.Length > 0, field + ".instruction", "must not be empty");
        return new PromptInput.Instruction(message.Instruction_, message.Input);
    }

    public static PromptInput.Conversation ReadConversation(V1.Conversation message, string field, FieldViolations violations)
    {
        violations.Check(message.Turns.Count is > 0 and <= MaxTurns, field + ".turns", $"must have 1 to {MaxTurns} entries");
        foreach (var (index, turn) in message.Turns.Take(MaxTurns).Index())
        {
            var role = $"{field}.turns[{index}].role";
            violations.Check(_roles.Contains(turn.Role), role, "must be one of system, user, assistant");
            violations.Check(turn.Role != "system" || index == 0, role, "can be system in the first turn only");
        }
        return new PromptInput.Conversation([.. message.Turns.Select(turn => new ChatTurn(turn.Role, turn.Text, turn.HasTrained ? turn.Trained : null))]);
    }

    private static PromptInput.Ids ReadIds(V1.TokenIds message, string field, FieldViolations violations)
    {
        violations.Check(message.Ids.Count > 0, field + ".ids", "must have at least one id");
        return new PromptInput.Ids([.. message.Ids]);
    }
}
