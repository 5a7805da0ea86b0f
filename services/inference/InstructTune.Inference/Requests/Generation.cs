using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Requests;

/// <summary>A text that is being made.</summary>
internal sealed record Generation(string ModelVersion, ulong Seed, int PromptTokens, Mailbox Output);
