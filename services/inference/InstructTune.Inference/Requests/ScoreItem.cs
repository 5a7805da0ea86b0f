namespace InstructTune.Inference.Requests;

/// <summary>A continuation and what comes before it.</summary>
internal sealed record ScoreItem(PromptInput Context, ScoreTargetText Target, IReadOnlyList<int> Labels);

/// <summary>What is scored: a text, or ids.</summary>
internal abstract record ScoreTargetText
{
    public sealed record Text(string Value) : ScoreTargetText;

    public sealed record Ids(int[] TokenIds) : ScoreTargetText;
}
