namespace InstructTune.Dataset.Examples;

/// <summary>One example, as it is stored whatever its source was.</summary>
internal sealed record Example(Prompt Prompt, string Output)
{
    /// <summary>Other acceptable responses.</summary>
    public IReadOnlyList<string> References { get; init; } = [];

    /// <summary>The options of a multiple-choice question; the output is one of them.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    public string Task { get; init; } = "";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>What the model sees before it answers.</summary>
internal abstract record Prompt;

internal sealed record InstructionPrompt(string Instruction, string Input) : Prompt;

/// <summary>The assistant turns are the answers, so the example's output stays empty.</summary>
internal sealed record ConversationPrompt(IReadOnlyList<Turn> Turns) : Prompt;

/// <summary>Used as is, without a prompt format.</summary>
internal sealed record RawPrompt(string Text) : Prompt;

/// <summary>Plain text, all of it trained on.</summary>
internal sealed record TextPrompt(string Text) : Prompt;

/// <summary>What one speaker said; <paramref name="Trained"/> is null unless the source says whether the turn bears loss.</summary>
internal sealed record Turn(string Role, string Text, bool? Trained = null);
