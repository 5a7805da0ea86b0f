namespace InstructTune.Inference.Engine;

/// <summary>What one base needs of cache memory.</summary>
internal sealed record KvLayout(long BytesPerToken, int ContextTokens);
