namespace InstructTune.Modeling.Prompts;

/// <summary>A text and its continuation, tokenized as one.</summary>
/// <param name="Context">As many ids as the text has alone.</param>
/// <param name="Continuation">The rest.</param>
/// <param name="IsMerged">Whether a token spans the border, so that the two parts are not spelled as they were given.</param>
public sealed record JointIds(int[] Context, int[] Continuation, bool IsMerged);
