using System.Text;

namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>
/// Bars, what was measured, and whether they are met: one table, sent as a diagnostic message and written to the file that
/// INSTRUCTTUNE_VERDICT names, which the commands of the long forms print.
/// </summary>
internal sealed class Verdict(string title)
{
    private readonly List<(string Bar, string Figure, string Outcome)> _rows = [];
    private bool _isMet = true;

    /// <param name="bar">What must hold.</param>
    /// <param name="figure">What was measured.</param>
    /// <param name="isMet">Whether it held.</param>
    /// <param name="isJudged">False where the run is too short for the bar, or the machine not quiet: the figure is shown only.</param>
    public void Add(string bar, string figure, bool isMet, bool isJudged = true)
    {
        _rows.Add((bar, figure, !isJudged ? "not judged in this form" : isMet ? "met" : "MISSED"));
        _isMet &= isMet || !isJudged;
    }

    /// <summary>Shows the table, and fails where a bar is missed.</summary>
    public void Close()
    {
        var text = ToString();
        TestContext.Current.SendDiagnosticMessage("{0}", text);
        if (Environment.GetEnvironmentVariable("INSTRUCTTUNE_VERDICT") is { Length: > 0 } path)
        {
            File.AppendAllText(path, text);
        }
        Assert.True(_isMet, text);
    }

    public override string ToString()
    {
        var (bars, figures) = (_rows.Max(row => row.Bar.Length), _rows.Max(row => row.Figure.Length));
        var text = new StringBuilder().AppendLine().AppendLine(title);
        foreach (var (bar, figure, outcome) in _rows)
        {
            text.Append("  ").Append(bar.PadRight(bars)).Append(" | ").Append(figure.PadRight(figures)).Append(" | ").AppendLine(outcome);
        }
        return text.ToString();
    }
}
