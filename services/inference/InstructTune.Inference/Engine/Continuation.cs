namespace InstructTune.Inference.Engine;

/// <summary>What is scored after a context, and which ids are reported beside its first token.</summary>
internal sealed record Continuation(int[] TokenIds, IReadOnlyList<int> Labels);

/// <summary>The scores of a continuation's tokens, and the log-probabilities of its labels.</summary>
internal sealed record ContinuationScore(TokenScore[] Tokens, double[] Labels);
