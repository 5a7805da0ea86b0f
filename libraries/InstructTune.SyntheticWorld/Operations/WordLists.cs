using InstructTune.SyntheticWorld.Language;

namespace InstructTune.SyntheticWorld.Operations;

/// <summary>Lists of words as they are written in questions and answers.</summary>
internal static class WordLists
{
    public static readonly IReadOnlyList<string> Numbers = ["one", "two", "three", "four", "five", "six"];
    public static readonly IReadOnlyList<string> YesNo = ["yes", "no"];

    /// <summary>A list as questions hold it: every word after a space, as in running text, so that it is the same token everywhere.</summary>
    public static string Ask(IEnumerable<string> words) => $"list: {Join(words)}";

    public static string Join(IEnumerable<string> words) => string.Join(", ", words);

    public static List<string> Some(Domain domain, WorldRandom random, int min = 3, int max = 5) =>
        random.Draw(domain.Words, min + random.Next(max - min + 1));

    public static List<string> Kinds(Domain domain) => [.. domain.Kinds.Select(kind => kind.Name)];

    public static string Answer(bool isTrue) => isTrue ? "yes" : "no";
}
