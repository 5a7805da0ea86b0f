using InstructTune.SyntheticWorld.Language;

namespace InstructTune.SyntheticWorld.Operations;

/// <summary>Operations that ask where words stand and never what they mean.</summary>
internal static class PositionOperations
{
    public static readonly IReadOnlyList<Operation> All =
    [
        Define("copy", AnswerFormat.List, Copy, "copy the list", "repeat the list", "write the list again", "give the same list"),
        Define("reverse", AnswerFormat.List, Reverse, "reverse the list", "turn the list around", "write the list from the end", "give the list backwards"),
        Define("first", AnswerFormat.Span, First, "give the first word", "name the first word", "write the word at the start", "say which word comes first"),
        Define("last", AnswerFormat.Span, Last, "give the last word", "name the last word", "write the word at the end", "say which word comes last"),
        Define("sort", AnswerFormat.List, Sort, "sort the list", "put the list in order", "write the list by the alphabet", "give the list in sorted order"),
        Define("count", AnswerFormat.Label, Count, "count the words", "say how many words there are", "give the number of words", "write how long the list is"),
        Define("membership", AnswerFormat.YesNo, Membership, "say if the word is in the list", "tell if the list has the word", "answer if the word is there", "check if the word occurs"),
    ];

    private static Operation Define(
        string name, AnswerFormat format, Func<Domain, WorldRandom, Question> ask, params string[] cores) =>
        new(name, format, OperationFamily.Position, Phrasing.Of(cores), (domain, _, random) => ask(domain, random));

    private static Question Copy(Domain domain, WorldRandom random)
    {
        var words = WordLists.Some(domain, random);
        return new Question(WordLists.Ask(words), WordLists.Join(words));
    }

    private static Question Reverse(Domain domain, WorldRandom random)
    {
        var words = WordLists.Some(domain, random);
        return new Question(WordLists.Ask(words), WordLists.Join(Enumerable.Reverse(words)));
    }

    private static Question First(Domain domain, WorldRandom random)
    {
        var words = WordLists.Some(domain, random);
        return new Question(WordLists.Ask(words), words[0]);
    }

    private static Question Last(Domain domain, WorldRandom random)
    {
        var words = WordLists.Some(domain, random);
        return new Question(WordLists.Ask(words), words[^1]);
    }

    private static Question Sort(Domain domain, WorldRandom random)
    {
        var words = WordLists.Some(domain, random);
        return new Question(WordLists.Ask(words), WordLists.Join(words.Order(StringComparer.Ordinal)));
    }

    private static Question Count(Domain domain, WorldRandom random)
    {
        var words = WordLists.Some(domain, random, 1, WordLists.Numbers.Count);
        return new Question(WordLists.Ask(words), WordLists.Numbers[words.Count - 1], WordLists.Numbers);
    }

    private static Question Membership(Domain domain, WorldRandom random)
    {
        var words = random.Draw(domain.Words, 5);
        var isMember = random.Next(2) == 0;
        var word = isMember ? words[random.Next(4)] : words[4];
        return new Question($"the {word} in {WordLists.Ask(words[..4])}", WordLists.Answer(isMember), WordLists.YesNo);
    }
}
