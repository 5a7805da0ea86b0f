namespace InstructTune.SyntheticWorld.Language;

/// <summary>The content words of the world: 8 domains of 4 kinds of 6 words.</summary>
public static class Lexicon
{
    public static readonly IReadOnlyList<Domain> Domains =
    [
        Define(
            "animals",
            "bird: wren robin finch crow eagle swan",
            "fish: trout carp pike cod perch eel",
            "insect: ant bee wasp moth beetle fly",
            "mammal: fox badger otter wolf hare deer"),
        Define(
            "tools",
            "cutter: saw knife axe chisel razor sickle",
            "striker: hammer mallet club pick gavel maul",
            "holder: clamp vice tongs pliers peg hook",
            "gauge: ruler level compass scale meter timer"),
        Define(
            "food",
            "fruit: apple pear plum cherry lemon fig",
            "root: carrot turnip radish beet potato yam",
            "grain: wheat barley oats rye rice maize",
            "spice: pepper cumin clove nutmeg mustard anise"),
        Define(
            "clothes",
            "hat: cap bonnet beret helmet hood crown",
            "shoe: boot sandal slipper clog loafer brogue",
            "coat: cloak jacket cape parka robe poncho",
            "jewel: ring necklace brooch pendant locket bead"),
        Define(
            "vehicles",
            "boat: canoe ferry yacht raft barge kayak",
            "cart: wagon sled coach buggy barrow tram",
            "aircraft: glider jet airship rocket balloon drone",
            "cycle: bike moped scooter tandem trike quad"),
        Define(
            "music",
            "string: violin cello harp lute guitar banjo",
            "wind: flute oboe horn trumpet tuba fife",
            "drum: bongo snare tabla gong conga tabor",
            "dance: waltz tango polka reel jig minuet"),
        Define(
            "places",
            "house: cottage villa cabin manor hut palace",
            "shop: bakery market butcher grocer kiosk bazaar",
            "water: lake river pond brook bay canal",
            "land: hill valley meadow forest desert swamp"),
        Define(
            "people",
            "healer: doctor nurse surgeon dentist medic vet",
            "maker: smith baker potter weaver tailor mason",
            "teacher: tutor lecturer trainer mentor guide scholar",
            "singer: tenor soprano alto treble minstrel crooner"),
    ];

    private static Domain Define(string name, params string[] kinds) => new(name, [.. kinds.Select(Parse)]);

    private static Kind Parse(string line)
    {
        var parts = line.Split(": ");
        return new Kind(parts[0], parts[1].Split(' '));
    }
}
