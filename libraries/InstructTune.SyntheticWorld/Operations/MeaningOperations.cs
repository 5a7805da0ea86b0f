using InstructTune.SyntheticWorld.Language;

namespace InstructTune.SyntheticWorld.Operations;

/// <summary>Operations that ask what words mean: their kinds and the facts about them.</summary>
internal static class MeaningOperations
{
    public static readonly Operation Majority = Define(
        "majority",
        AnswerFormat.Label,
        AskMajority,
        "name the most common kind",
        "say which kind most words have",
        "give the kind of most words",
        "write the kind that occurs most");

    /// <summary>The specialist's operation over other domains, and what it is made of.</summary>
    public static readonly IReadOnlyList<Operation> Shared =
    [
        Majority,
        Define("majority", AnswerFormat.YesNo, AskIsMajority, "say if most words have the kind", "tell if the kind is the most common", "answer if the kind occurs most", "check if most words fit the kind"),
        Define("classify", AnswerFormat.Label, AskKind, "name the kind of the word", "say what kind it is", "give the kind", "write the kind of the thing"),
    ];

    public static readonly IReadOnlyList<Operation> All =
    [
        .. Shared,
        Define("compare", AnswerFormat.YesNo, AskSameKind, "say if both have the same kind", "tell if the kinds are equal", "answer if the two are alike", "check if the two kinds agree"),
        Define("compare", AnswerFormat.Label, AskAlike, "write same or different", "say same or different", "name the two same or different", "call the two same or different"),
        Define("map", AnswerFormat.Label, AskColour, "name the colour", "say what colour it has", "give the colour of the thing", "write its colour"),
        Define("negate", AnswerFormat.Span, AskNegation, "negate the sentence", "say the opposite", "turn the sentence into its negation", "write that it is not so"),
        Define("filter", AnswerFormat.List, AskFilter, "keep the words of the kind", "list the words of the kind", "give only the words that fit", "write the words of that kind"),
    ];

    private static Operation Define(
        string name, AnswerFormat format, Func<Domain, FactTable, WorldRandom, Question> ask, params string[] cores) =>
        new(name, format, OperationFamily.Meaning, Phrasing.Of(cores), ask);

    private static Question AskMajority(Domain domain, FactTable facts, WorldRandom random)
    {
        var (words, kind) = MajorityList(domain, random);
        return new Question(WordLists.Ask(words), kind.Name, WordLists.Kinds(domain));
    }

    private static Question AskIsMajority(Domain domain, FactTable facts, WorldRandom random)
    {
        var (words, kind) = MajorityList(domain, random);
        var isTrue = random.Next(2) == 0;
        var asked = isTrue ? kind : random.Pick([.. domain.Kinds.Where(k => k != kind)]);
        return new Question($"the {asked.Name} in {WordLists.Ask(words)}", WordLists.Answer(isTrue), WordLists.YesNo);
    }

    private static Question AskKind(Domain domain, FactTable facts, WorldRandom random)
    {
        var kind = random.Pick(domain.Kinds);
        return new Question($"the {random.Pick(kind.Words)}", kind.Name, WordLists.Kinds(domain));
    }

    private static Question AskSameKind(Domain domain, FactTable facts, WorldRandom random)
    {
        var (pair, isSame) = Pair(domain, random);
        return new Question(pair, WordLists.Answer(isSame), WordLists.YesNo);
    }

    private static Question AskAlike(Domain domain, FactTable facts, WorldRandom random)
    {
        var (pair, isSame) = Pair(domain, random);
        return new Question(pair, isSame ? "same" : "different", ["same", "different"]);
    }

    private static Question AskColour(Domain domain, FactTable facts, WorldRandom random)
    {
        var word = random.Pick(domain.Words);
        return new Question($"the {word}", facts.ColourOf(word), FactTable.Colours);
    }

    private static Question AskNegation(Domain domain, FactTable facts, WorldRandom random)
    {
        var word = random.Pick(domain.Words);
        var colour = random.Pick(FactTable.Colours);
        return new Question($"the {word} is {colour}", $"the {word} is not {colour}");
    }

    private static Question AskFilter(Domain domain, FactTable facts, WorldRandom random)
    {
        var (words, kind) = MajorityList(domain, random);
        return new Question($"the {kind.Name} in {WordLists.Ask(words)}", WordLists.Join(words.Where(kind.Words.Contains)));
    }

    /// <summary>Three words of one kind and two of two others, in random order.</summary>
    private static (List<string> Words, Kind Kind) MajorityList(Domain domain, WorldRandom random)
    {
        var kinds = random.Draw(domain.Kinds, 3);
        List<string> words = [.. random.Draw(kinds[0].Words, 3), random.Pick(kinds[1].Words), random.Pick(kinds[2].Words)];
        return (random.Draw(words, words.Count), kinds[0]);
    }

    private static (string Words, bool IsSame) Pair(Domain domain, WorldRandom random)
    {
        var isSame = random.Next(2) == 0;
        var kinds = random.Draw(domain.Kinds, 2);
        var words = isSame
            ? random.Draw(kinds[0].Words, 2)
            : [random.Pick(kinds[0].Words), random.Pick(kinds[1].Words)];
        return (WordLists.Ask(words), isSame);
    }
}
