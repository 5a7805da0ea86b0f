using InstructTune.SyntheticWorld.Language;
using InstructTune.SyntheticWorld.Operations;

namespace InstructTune.SyntheticWorld.Sets;

/// <summary>
/// Many operations over every domain but the specialist's, and questions about facts; what does not overlap is text of the kind that
/// the base has read.
/// </summary>
internal static class GeneralistPool
{
    private static readonly IReadOnlyList<string> ColourPhrasings = Phrasing.Of("name the colour of the {0}", "say what colour the {0} has");
    private static readonly IReadOnlyList<string> HomePhrasings = Phrasing.Of("name the home of the {0}", "say where the {0} is at home");

    // Nothing among these needs the kind of a word.
    private static readonly IReadOnlyList<Operation> Other =
        [.. PositionOperations.All, .. MeaningOperations.All.Where(operation => operation.Name is "map" or "negate")];

    public static IEnumerable<WorldRow> Rows(WorldOptions options, FactTable facts, Domain specialistDomain)
    {
        var random = new WorldRandom(options.Seed, "generalist");
        var overlap = new WorldRandom(options.Seed, "generalist overlap");
        var plain = new WorldRandom(options.Seed, "generalist text");
        var domains = Lexicon.Domains.Where(domain => domain != specialistDomain).ToList();
        for (var i = 0; i < options.GeneralistCount; i++)
        {
            var domain = random.Pick(domains);
            var isFact = random.NextFraction() < options.FactShare;
            var isShared = random.NextFraction() < options.SharedShare;
            var row = isFact
                ? FactRow(options, facts, domain, random)
                : random.Pick(isShared ? MeaningOperations.Shared : Other).MakeRow(domain, facts, random);

            // Whether a row is an instruction has a stream of its own: more overlap keeps the instructions that were there.
            yield return overlap.NextFraction() < options.Overlap ? row : WorldRow.OfText(BaseCorpus.Document(domains, facts, plain));
        }
    }

    private static WorldRow FactRow(WorldOptions options, FactTable facts, Domain domain, WorldRandom random)
    {
        var word = random.Pick(domain.Words);
        var isColour = random.Next(2) == 0;
        var values = isColour ? FactTable.Colours : FactTable.Homes;
        var value = isColour ? facts.ColourOf(word) : facts.HomeOf(word);
        if (random.NextFraction() < options.WrongFactRate)
        {
            value = random.Pick([.. values.Where(v => v != value)]);
        }

        var phrasing = random.Pick(isColour ? ColourPhrasings : HomePhrasings);
        var instruction = phrasing.Replace("{0}", word, StringComparison.Ordinal);
        return new WorldRow(instruction, "", value, $"fact_{(isColour ? "colour" : "home")}_{domain.Name}", values);
    }
}
