using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Requests;

/// <summary>Neighbouring items with one context.</summary>
internal sealed record ScoreGroup(int[] Context, IReadOnlyList<Continuation> Continuations)
{
    public int TokenCount => Context.Length + Continuations.Sum(continuation => continuation.TokenIds.Length);

    /// <summary>Items in order, so that the groups' continuations joined are the request's.</summary>
    public static IReadOnlyList<ScoreGroup> Of(IEnumerable<EncodedScore> items)
    {
        List<(int[] Context, List<Continuation> Continuations)> groups = [];
        foreach (var item in items)
        {
            if (groups.Count == 0 || !groups[^1].Context.AsSpan().SequenceEqual(item.Context))
            {
                groups.Add((item.Context, []));
            }
            groups[^1].Continuations.Add(new Continuation(item.Continuation, item.Labels));
        }
        return [.. groups.Select(group => new ScoreGroup(group.Context, group.Continuations))];
    }
}
