using InstructTune.Evaluation.Runs;
using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Evaluation.Peers;

/// <summary>Prompts as requests. The inference service formats them, as in training.</summary>
internal static class PromptMapping
{
    public static GenerateRequest ToGenerateRequest(Prompt prompt)
    {
        switch (prompt)
        {
            case InstructionPrompt instruction:
                return new GenerateRequest { Instruction = ToProto(instruction) };
            case RawPrompt raw:
                return new GenerateRequest { RawPrompt = raw.Text };
            case ConversationPrompt conversation:
                var turns = new Conversation();
                turns.Turns.Add(conversation.Turns.Select(turn => new Conversation.Types.Turn { Role = turn.Role, Text = turn.Text }));
                return new GenerateRequest { Conversation = turns };
            default:
                throw new InvalidOperationException($"Prompts of type {prompt.GetType().Name} have no form in the API.");
        }
    }

    /// <exception cref="JobFailedException">Continuations of conversations cannot be scored.</exception>
    public static ScoreRequest.Types.Item ToScoreItem(Question question, string choice) => question.Prompt switch
    {
        InstructionPrompt instruction => new ScoreRequest.Types.Item { Instruction = ToProto(instruction), Continuation = choice },
        RawPrompt raw => new ScoreRequest.Types.Item { Prompt = raw.Text, Continuation = choice },
        // One user turn is an instruction without input.
        ConversationPrompt { Turns: [("user", var text)] } =>
            new ScoreRequest.Types.Item { Instruction = new Instruction { Instruction_ = text }, Continuation = choice },
        _ => throw new JobFailedException(new JobFault(
            "DATA_INVALID",
            $"Example {question.Index} has choices after several turns, whose log-probabilities cannot be taken: use metrics of generated answers.",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["example_index"] = question.Index.ToString() })),
    };

    private static Instruction ToProto(InstructionPrompt prompt) => new() { Instruction_ = prompt.Instruction, Input = prompt.Input };
}
