using InstructTune.Cli.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>Datasets as people read them.</summary>
internal static class DatasetText
{
    private const int MaxTasksShown = 10;
    private const int MaxRejectionsShown = 5;

    public static void Write(Terminal terminal, DatasetVersion version)
    {
        var output = terminal.Out;
        output.WriteLine($"{Names.Short(version.Name)}: {Formats.Count(version.ExampleCount)} examples");
        output.WriteLine($"  name     {version.Name}");
        output.WriteLine($"  sha256   {version.ContentSha256}");
        output.WriteLine($"  created  {Formats.Time(version.CreateTime)}");
        foreach (var (key, value) in version.Derivation.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"  {key}  {value}");
        }

        var tasks = version.ExampleCountByTask.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        foreach (var (task, count) in tasks.Take(MaxTasksShown))
        {
            output.WriteLine($"  {Formats.Count(count),8}  {(task.Length > 0 ? task : "(no task)")}");
        }

        if (tasks.Count > MaxTasksShown)
        {
            output.WriteLine($"            and {Formats.Count(tasks.Count - MaxTasksShown)} more tasks");
        }

        WriteRejections(terminal, version.ImportReport);
    }

    public static void Write(Terminal terminal, StreamExamplesResponse item)
    {
        var example = item.Example;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"[{item.Index}] {Prompt(example)}");
        terminal.Out.WriteLine($" -> {example.Output}");
    }

    private static string Prompt(Example example) => example.PromptCase switch
    {
        Example.PromptOneofCase.Instruction when example.Instruction.Input.Length > 0 =>
            example.Instruction.Instruction_ + "\n    " + example.Instruction.Input,
        Example.PromptOneofCase.Instruction => example.Instruction.Instruction_,
        Example.PromptOneofCase.Conversation => string.Join("\n    ", example.Conversation.Turns.Select(turn => $"{turn.Role}: {turn.Text}")),
        Example.PromptOneofCase.RawPrompt => example.RawPrompt,
        _ => example.Text,
    };

    private static void WriteRejections(Terminal terminal, DatasetVersion.Types.ImportReport? report)
    {
        if (report is not { RejectedCount: > 0 })
        {
            return;
        }

        terminal.Note($"{Formats.Count(report.RejectedCount)} records were skipped:");
        foreach (var rejection in report.Rejections.Take(MaxRejectionsShown))
        {
            terminal.Note($"  {rejection.FileName}, record {rejection.Position}: {rejection.Description}");
        }
    }
}
