namespace InstructTune.SyntheticWorld.Language;

/// <summary>What is true of every word of the world: a colour and a home, drawn once from the seed.</summary>
public sealed class FactTable
{
    public static readonly IReadOnlyList<string> Colours = ["red", "blue", "green", "black", "white", "brown", "grey", "gold"];
    public static readonly IReadOnlyList<string> Homes = ["north", "south", "east", "west", "coast", "mountain", "island", "city"];

    private readonly Dictionary<string, (string Colour, string Home)> _facts = new(StringComparer.Ordinal);

    public FactTable(ulong seed)
    {
        var random = new WorldRandom(seed, "facts");
        foreach (var word in Lexicon.Domains.SelectMany(domain => domain.Words))
        {
            _facts[word] = (random.Pick(Colours), random.Pick(Homes));
        }
    }

    public string ColourOf(string word) => _facts[word].Colour;

    public string HomeOf(string word) => _facts[word].Home;
}
