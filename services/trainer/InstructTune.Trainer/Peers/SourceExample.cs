namespace InstructTune.Trainer.Peers;

/// <summary>An example as the trainer sees it, whatever its source.</summary>
internal abstract record SourceExample;

internal sealed record InstructionExample(string Instruction, string Input, string Output) : SourceExample;

internal sealed record ConversationExample(IReadOnlyList<ConversationTurn> Turns) : SourceExample;

/// <summary><paramref name="Trained"/> is null unless the data say whether the turn bears loss.</summary>
internal sealed record ConversationTurn(string Role, string Text, bool? Trained = null);

/// <summary>A prompt used as is, and its answer.</summary>
internal sealed record PromptExample(string Prompt, string Output) : SourceExample;

/// <summary>Plain text, all of it trained on.</summary>
internal sealed record TextExample(string Text) : SourceExample;
