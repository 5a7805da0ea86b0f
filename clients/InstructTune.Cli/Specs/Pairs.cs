using InstructTune.Cli.CommandLine;

namespace InstructTune.Cli.Specs;

/// <summary>Options written as <c>KEY=VALUE</c>.</summary>
internal static class Pairs
{
    public static IEnumerable<(string Key, string Value)> Parse(IEnumerable<string> texts, string option)
    {
        foreach (var text in texts)
        {
            yield return text.Split('=', 2) is [{ Length: > 0 } key, { Length: > 0 } value]
                ? (key, value)
                : throw CliException.Usage($"{option} {text}: write KEY=VALUE.");
        }
    }
}
