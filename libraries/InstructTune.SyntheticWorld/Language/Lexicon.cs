namespace InstructTune.SyntheticWorld.Language;

/// <summary>The content words of the world: 8 domains of 4 kinds of 8 words.</summary>
public static class Lexicon
{
    public static readonly IReadOnlyList<Domain> Domains =
    [
        Define(
            "animals",
            "bird: wren robin finch heron crow eagle swan gull",
            "fish: trout carp pike cod perch eel herring tuna",
            "insect: ant bee wasp moth beetle cricket fly gnat",
            "mammal: fox badger otter wolf hare deer bear mole"),
        Define(
            "tools",
            "cutter: saw knife axe chisel scissors razor sickle lathe",
            "striker: hammer mallet club pick sledge gavel maul rammer",
            "holder: clamp vice tongs pliers peg hook clip buckle",
            "gauge: ruler level compass scale caliper meter plumb timer"),
        Define(
            "food",
            "fruit: apple pear plum cherry lemon grape melon fig",
            "root: carrot turnip radish beet potato parsnip ginger yam",
            "grain: wheat barley oats rye rice millet maize spelt",
            "spice: pepper cumin clove nutmeg saffron mustard paprika anise"),
        Define(
            "clothes",
            "hat: cap bonnet beret helmet hood turban crown fez",
            "shoe: boot sandal slipper clog loafer brogue sneaker moccasin",
            "coat: cloak jacket cape parka robe blazer poncho shawl",
            "jewel: ring necklace brooch bracelet pendant locket bead pin"),
        Define(
            "vehicles",
            "boat: canoe ferry yacht raft barge kayak tug dinghy",
            "cart: wagon sled coach buggy barrow rickshaw tram trolley",
            "aircraft: glider jet biplane airship rocket balloon shuttle drone",
            "cycle: bike moped scooter tandem unicycle trike quad motorbike"),
        Define(
            "music",
            "string: violin cello harp lute guitar banjo viola zither",
            "wind: flute oboe horn trumpet tuba clarinet bassoon fife",
            "drum: bongo snare timpani tabla gong conga djembe tabor",
            "dance: waltz tango polka reel jig minuet samba foxtrot"),
        Define(
            "places",
            "house: cottage villa cabin manor hut palace lodge castle",
            "shop: bakery market butcher grocer florist kiosk bazaar mall",
            "water: lake river pond brook bay canal lagoon spring",
            "land: hill valley meadow forest desert swamp ridge heath"),
        Define(
            "people",
            "healer: doctor nurse surgeon dentist medic midwife vet chemist",
            "maker: smith baker potter weaver tailor mason carpenter cobbler",
            "teacher: tutor lecturer instructor professor trainer mentor guide scholar",
            "singer: tenor soprano treble alto baritone minstrel chorister crooner"),
    ];

    private static Domain Define(string name, params string[] kinds) => new(name, [.. kinds.Select(Parse)]);

    private static Kind Parse(string line)
    {
        var parts = line.Split(": ");
        return new Kind(parts[0], parts[1].Split(' '));
    }
}
