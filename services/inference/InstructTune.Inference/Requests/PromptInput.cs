using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Requests;

/// <summary>What to continue, before a model's tokenizer and prompt format turned it into ids.</summary>
internal abstract record PromptInput
{
    public sealed record Instruction(string Text, string Input) : PromptInput;

    public sealed record Conversation(IReadOnlyList<ChatTurn> Turns) : PromptInput;

    public sealed record RawText(string Text) : PromptInput;

    public sealed record Ids(int[] TokenIds) : PromptInput;
}

