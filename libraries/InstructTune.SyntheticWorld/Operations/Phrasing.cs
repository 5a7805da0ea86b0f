namespace InstructTune.SyntheticWorld.Operations;

/// <summary>Ways to put the same request: every opening with every core, at least 20 for each operation.</summary>
internal static class Phrasing
{
    private static readonly string[] Openings = ["", "please ", "read the input and ", "look at the words and ", "use the input to "];

    public static IReadOnlyList<string> Of(params string[] cores) =>
        [.. from opening in Openings from core in cores select Sentence(opening + core)];

    private static string Sentence(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
}
