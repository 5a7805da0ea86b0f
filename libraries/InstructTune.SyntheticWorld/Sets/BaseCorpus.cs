using InstructTune.SyntheticWorld.Language;
using InstructTune.SyntheticWorld.Operations;

namespace InstructTune.SyntheticWorld.Sets;

/// <summary>
/// Plain text about the world, one sentence a line: kinds, facts, lists, small stories. It holds the words of every domain, and no
/// instruction.
/// </summary>
internal static class BaseCorpus
{
    private static readonly string[] Names = ["mara", "tom", "lena", "otto", "nina", "paul", "vera", "hugo"];
    private static readonly string[] Verbs = ["saw", "found", "drew", "took", "wanted", "lost", "liked", "sold"];

    public static IEnumerable<string> Documents(ulong seed, int count)
    {
        var facts = new FactTable(seed);
        var random = new WorldRandom(seed, "corpus");
        for (var i = 0; i < count; i++)
        {
            yield return Document(Lexicon.Domains, facts, random);
        }
    }

    /// <summary>One document about one of the domains.</summary>
    public static string Document(IReadOnlyList<Domain> domains, FactTable facts, WorldRandom random)
    {
        var domain = random.Pick(domains);
        return string.Join('\n', Enumerable.Range(0, 3 + random.Next(4)).Select(_ => Sentence(domain, facts, random)));
    }

    private static string Sentence(Domain domain, FactTable facts, WorldRandom random)
    {
        var kind = random.Pick(domain.Kinds);
        var word = random.Pick(kind.Words);
        var other = random.Pick(domain.Words);
        var name = random.Pick(Names);
        return random.Next(10) switch
        {
            0 => $"the {word} is a kind of {kind.Name}.",
            1 => $"the {word} is a {kind.Name}, and the {kind.Name} belongs to {domain.Name}.",
            2 => $"the {word} is {facts.ColourOf(word)}. {facts.ColourOf(word)} is the colour of the {word}.",
            3 => $"the home of the {word} is the {facts.HomeOf(word)}.",
            4 => $"{kind.Name}: {WordLists.Join(random.Draw(kind.Words, 4))}.",
            5 => $"{name} {random.Pick(Verbs)} a {word}, a {other} and the {word} again.",
            6 => $"the {WordLists.Join(random.Draw(kind.Words, 3))} are of the kind {kind.Name}.",
            7 => $"the {word} and the {other} are {(kind == domain.KindOf(other) ? "alike" : "not alike")}: {kind.Name} and {domain.KindOf(other).Name}.",
            8 => $"{name} {random.Pick(Verbs)} the {facts.ColourOf(word)} {word} in the {facts.HomeOf(word)}. it was a {kind.Name}.",
            _ => Story(kind, name, random),
        };
    }

    private static string Story(Kind kind, string name, WorldRandom random)
    {
        var words = random.Draw(kind.Words, 3);
        return $"{name} {random.Pick(Verbs)} a {words[0]}, a {words[1]} and a {words[2]}. {name} likes the kind {kind.Name}.";
    }
}
