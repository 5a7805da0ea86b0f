using InstructTune.Evaluation.Runs;
using InstructTune.Jobs;
using InstructTune.V1;

namespace InstructTune.Evaluation.Peers;

/// <summary>Examples as questions.</summary>
internal static class QuestionMapping
{
    private const string AssistantRole = "assistant";

    /// <exception cref="JobFailedException">The example asks nothing.</exception>
    public static Question ToQuestion(string version, long index, Example example) => example.PromptCase switch
    {
        Example.PromptOneofCase.Instruction => Ask(index, example, new InstructionPrompt(example.Instruction.Instruction_, example.Instruction.Input)),
        Example.PromptOneofCase.RawPrompt => Ask(index, example, new RawPrompt(example.RawPrompt)),
        Example.PromptOneofCase.Conversation => AskInConversation(index, example),
        _ => throw new JobFailedException(new JobFault(
            "DATA_INVALID",
            $"Example {index} of {version} is plain text, which asks nothing: use a dataset of instructions.",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["dataset_version"] = version, ["example_index"] = index.ToString() })),
    };

    // The last assistant turn is the answer that is asked for.
    private static Question AskInConversation(long index, Example example)
    {
        var turns = example.Conversation.Turns.Select(turn => (turn.Role, turn.Text)).ToList();
        var answer = example.Output;
        if (turns.Count > 1 && turns[^1].Role == AssistantRole)
        {
            answer = turns[^1].Text;
            turns.RemoveAt(turns.Count - 1);
        }
        return new Question(index, new ConversationPrompt(turns), References(answer, example), [.. example.Choices]);
    }

    private static Question Ask(long index, Example example, Prompt prompt) =>
        new(index, prompt, References(example.Output, example), [.. example.Choices]);

    private static IReadOnlyList<string> References(string answer, Example example) =>
        answer.Length == 0 && example.References.Count > 0 ? [.. example.References] : [.. new[] { answer }.Concat(example.References).Distinct()];
}
