using System.CommandLine;
using System.Text.RegularExpressions;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Specs;

namespace InstructTune.Architecture.Tests;

/// <summary>Documents name commands that exist, with options that they have.</summary>
public sealed partial class DocumentTests
{
    private static readonly RootCommand Root =
        new CliApplication(new CliContext(new Terminal(TextWriter.Null, TextWriter.Null, TextReader.Null), new Interrupts(), TimeProvider.System)).CreateRoot();

    [Fact]
    public void Every_command_in_a_document_is_one_that_the_command_line_takes()
    {
        var commands = Documents().SelectMany(file => Commands(File.ReadAllText(file)).Select(found => (File: Path.GetRelativePath(Repository.Root, file), found.Command, found.IsWhole))).ToList();
        Assert.Contains(commands, command => command.File == "README.md" && command.IsWhole);
        var wrong = commands.Select(command => (command.File, command.Command, Errors: Errors(command.Command, command.IsWhole)))
            .Where(command => command.Errors.Count > 0);
        Assert.Empty(wrong.Select(command => $"{command.File}: {command.Command}: {string.Join("; ", command.Errors)}"));
    }

    [Fact]
    public void Every_command_is_in_the_document_of_the_command_line()
    {
        var text = Repository.Read("docs/command-line.md");
        var missing = Root.Subcommands.SelectMany(command => command.Subcommands.Count == 0
                ? [(Name: command.Name, Said: text.Contains($"`{command.Name}`", StringComparison.Ordinal))]
                : command.Subcommands.Select(child => (
                    Name: $"{command.Name} {child.Name}",
                    Said: Row(text, command.Name).Contains($"`{child.Name}`", StringComparison.Ordinal) || Row(text, command.Name).Contains($"`{command.Name} {child.Name}`", StringComparison.Ordinal))))
            .Where(command => !command.Said);
        Assert.Empty(missing.Select(command => command.Name));
    }

    [Fact]
    public void Every_job_file_in_a_document_is_one_that_can_be_sent()
    {
        var files = Documents().SelectMany(file => JobFile().Matches(File.ReadAllText(file)).Select(match => match.Groups["yaml"].Value)).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, yaml =>
        {
            var path = Path.GetTempFileName();
            File.WriteAllLines(path, yaml.Split('\n'));
            Assert.NotEmpty(SpecFile.Read(path).Stages);
            File.Delete(path);
        });
    }

    private static IEnumerable<string> Documents() => new[] { "docs", "services", "libraries", "examples", "models" }
        .Select(folder => Path.Combine(Repository.Root, folder)).Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.md", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
        .Append(Path.Combine(Repository.Root, "README.md"));

    // The row of the table of commands.
    private static string Row(string text, string command) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith($"| `{command} ", StringComparison.Ordinal)) ?? "";

    // Lines of code are whole; code within a line may leave out what a command needs. What lists alternatives or stands for any command is no command.
    private static IEnumerable<(string Command, bool IsWhole)> Commands(string text) => Line().Matches(text).Select(match => (Command: match.Groups["command"].Value.Trim(), IsWhole: true))
        .Concat(Span().Matches(text).Select(match => (Command: match.Groups["command"].Value.Trim(), IsWhole: false)))
        .Where(found => !found.Command.Contains('|', StringComparison.Ordinal) && !found.Command.Contains("COMMAND", StringComparison.Ordinal)
            && !found.Command.Contains("...", StringComparison.Ordinal));

    private static List<string> Errors(string command, bool isWhole) => [.. Root.Parse(Arguments(command)).Errors.Select(error => error.Message)
        .Where(message => isWhole || !message.Contains("required", StringComparison.OrdinalIgnoreCase))];

    private static List<string> Arguments(string command) => [.. Word().Matches(command).Select(match => match.Groups["quoted"].Success ? match.Groups["quoted"].Value : match.Value)];

    [GeneratedRegex(@"^(?: {4}|\$ )?\./instructtune (?<command>[^#\n]*)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Line();

    [GeneratedRegex(@"`(?:\./)?instructtune (?<command>[^`\n]*)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Span();

    [GeneratedRegex(@"^```yaml\n(?<yaml>base_model:.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex JobFile();

    [GeneratedRegex(@"""(?<quoted>[^""]*)""|\S+", RegexOptions.ExplicitCapture)]
    private static partial Regex Word();
}
