using InstructTune.SyntheticWorld.Language;

namespace InstructTune.SyntheticWorld.Operations;

/// <summary>Something that can be asked of words, in one answer format.</summary>
internal sealed record Operation(
    string Name,
    AnswerFormat Format,
    OperationFamily Family,
    IReadOnlyList<string> Phrasings,
    Func<Domain, FactTable, WorldRandom, Question> Ask)
{
    public string TaskName(Domain domain) => $"{Name}_{Format.ToString().ToLowerInvariant()}_{domain.Name}";

    public WorldRow MakeRow(Domain domain, FactTable facts, WorldRandom random)
    {
        var question = Ask(domain, facts, random);
        return new WorldRow(random.Pick(Phrasings), question.Input, question.Answer, TaskName(domain), question.Choices);
    }
}

/// <summary>What has to be known to answer: where words stand, or what they mean.</summary>
internal enum OperationFamily
{
    Position,
    Meaning,
}

internal sealed record Question(string Input, string Answer, IReadOnlyList<string> Choices)
{
    public Question(string input, string answer)
        : this(input, answer, [])
    {
    }
}
