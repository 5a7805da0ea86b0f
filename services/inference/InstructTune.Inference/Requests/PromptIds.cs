using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Requests;

/// <summary>Inputs into ids, with the prompt format and the tokenizer of the model that answers.</summary>
internal static class PromptIds
{
    /// <exception cref="ConversationException">The turns are in no order that the format can render.</exception>
    public static int[] Encode(PromptInput input, PromptEncoder encoder) => input switch
    {
        PromptInput.Instruction instruction => encoder.EncodePrompt(instruction.Text, instruction.Input),
        PromptInput.Conversation conversation => encoder.EncodePrompt(conversation.Turns),
        PromptInput.RawText raw => encoder.EncodeRaw(raw.Text),
        PromptInput.Ids ids => ids.TokenIds,
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };
}
