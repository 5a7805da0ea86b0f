namespace InstructTune.SyntheticWorld.Language;

/// <summary>A field of things: kinds (the class words) and the words of each. No word belongs to two domains.</summary>
public sealed record Domain(string Name, IReadOnlyList<Kind> Kinds)
{
    /// <summary>The words of all kinds.</summary>
    public IReadOnlyList<string> Words { get; } = [.. Kinds.SelectMany(kind => kind.Words)];

    public Kind KindOf(string word) => Kinds.First(kind => kind.Words.Contains(word));
}

/// <summary>A kind of thing, such as <c>bird</c>, and the words for it.</summary>
public sealed record Kind(string Name, IReadOnlyList<string> Words);
