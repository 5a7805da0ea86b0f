using InstructTune.Cli.Output;
using InstructTune.Cli.Report;

namespace InstructTune.Cli.Demo;

/// <summary>What the demonstration found, for people: scores, comparisons, what follows from them, and what to do next.</summary>
internal static class DemoText
{
    public static void WriteResult(Terminal terminal, DemoResult result)
    {
        terminal.Out.WriteLine();
        var scores = new Grid(SeedSummary.Headers(result.Arms));
        foreach (var row in SeedSummary.Rows(result.Arms))
        {
            scores.Add(row);
        }

        scores.WriteTo(terminal);
        terminal.Out.WriteLine();
        EvaluationText.Write(terminal, result.AgainstBase, [DemoArm.BaseTitle, DemoArm.SpecialistTitle, DemoArm.TwoStageTitle]);
        terminal.Out.WriteLine();
        EvaluationText.Write(terminal, result.Comparison, [DemoArm.SpecialistTitle, DemoArm.TwoStageTitle]);
        terminal.Out.WriteLine();
        foreach (var sentence in Conclusions.Of(result.Comparison))
        {
            terminal.Out.WriteLine(sentence);
        }
    }

    public static void WriteNext(Terminal terminal, DemoResult result, string reportPath, bool isReal)
    {
        terminal.Note($"[{Formats.Duration(result.Duration)}] The report is {reportPath}");
        terminal.Note("Open it in a browser: it has the curves, every seed's scores and answers. result.json beside it has the figures for programs.");
        terminal.Note("Try next:");
        if (!isReal)
        {
            terminal.Note("  ./instructtune demo --overlap 0   the null world, where the generalist data has nothing to teach");
            terminal.Note("  ./instructtune demo --seed 2      another world");
        }

        terminal.Note("  ./instructtune up                 a server for models and data of your own; README.md goes on from there");
    }
}
