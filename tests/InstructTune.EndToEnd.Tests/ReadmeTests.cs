using System.Text.RegularExpressions;
using InstructTune.Testing;

namespace InstructTune.EndToEnd.Tests;

/// <summary>The tour of the README, line by line as it is written there.</summary>
public sealed partial class ReadmeTests(RunningServer server)
{
    [Fact]
    public async Task Every_line_of_the_tour_runs()
    {
        var lines = Tour();
        Assert.NotEmpty(lines);
        foreach (var line in lines)
        {
            var result = await server.RunAsync([.. Words(line).Select(InScratch), .. Shorter(line)]);
            Assert.True(result.ExitCode == 0, $"{line}\n{result.All}");
        }

        Assert.True(new FileInfo(Path.Combine(server.Scratch, "kinds.gguf")).Length > 0);
    }

    // Those after "In another terminal"; what follows a # is for people.
    private static List<string> Tour()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md"));
        var block = text[text.IndexOf("In another terminal:", StringComparison.Ordinal)..].Split("```")[1];
        return [.. Command().Matches(block).Select(match => match.Groups["command"].Value.Trim())];
    }

    // Enough to see that it runs.
    private static string[] Shorter(string line) =>
        line.StartsWith("finetune create", StringComparison.Ordinal) ? ["--max-steps", "3"]
        : line.StartsWith("eval run", StringComparison.Ordinal) ? ["--max-examples", "20"] : [];

    private static IEnumerable<string> Words(string line) =>
        Word().Matches(line).Select(match => match.Groups["quoted"].Success ? match.Groups["quoted"].Value : match.Value);

    // The repository is where a reader stands; what the lines write goes elsewhere here.
    private string InScratch(string word) => word switch
    {
        "models/world-base" => RunningServer.BaseFolder,
        "world" or "kinds.gguf" => Path.Combine(server.Scratch, word),
        _ when word.StartsWith("world/", StringComparison.Ordinal) => Path.Combine(server.Scratch, word),
        _ => word,
    };

    [GeneratedRegex(@"^\./instructtune (?<command>[^#\n]*)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Command();

    [GeneratedRegex(@"""(?<quoted>[^""]*)""|\S+", RegexOptions.ExplicitCapture)]
    private static partial Regex Word();
}
