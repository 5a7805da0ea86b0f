namespace InstructTune.Modeling.Prompts;

/// <summary>A text as ids, and which of them carry loss.</summary>
/// <param name="Ids">Token ids.</param>
/// <param name="Trained">For each id whether it is part of a response.</param>
public sealed record EncodedExample(int[] Ids, bool[] Trained);

/// <summary>What a format made, as text and as ids.</summary>
/// <param name="Text">The text, with the spelling of its control tokens.</param>
/// <param name="Ids">Token ids.</param>
/// <param name="Trained">For each id whether it would carry loss in training.</param>
public sealed record RenderedPrompt(string Text, int[] Ids, bool[] Trained)
{
    /// <summary>Without the text.</summary>
    public EncodedExample Example => new(Ids, Trained);
}

/// <summary>A format with a tokenizer.</summary>
internal interface IPromptLayout
{
    /// <summary>Tokens that end an answer in this format, in addition to the model's own.</summary>
    IReadOnlyList<int> EndOfTurnIds { get; }

    /// <summary>A response that follows a prompt, without what ends it.</summary>
    int[] Response(string text);

    /// <summary>An instruction; with its response, which is trained, or up to where it begins.</summary>
    RenderedPrompt Instruction(string instruction, string input, string? response);

    /// <summary>A conversation; whole, or up to where the next answer begins.</summary>
    RenderedPrompt Conversation(IReadOnlyList<ChatTurn> turns, bool forAnswer);
}
