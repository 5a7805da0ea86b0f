using System.Text;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>What is promised, what was measured, and whether it holds.</summary>
internal sealed class Floors
{
    private readonly List<(string Floor, string Figure, bool IsMet, bool IsJudged)> _rows = [];

    public bool AreMet => _rows.TrueForAll(row => row.IsMet || !row.IsJudged);

    /// <param name="floor">What must hold.</param>
    /// <param name="figure">What was measured.</param>
    /// <param name="isMet">Whether it held.</param>
    /// <param name="isJudged">False where the figure scatters too much to say anything.</param>
    public void Add(string floor, string figure, bool isMet, bool isJudged = true) => _rows.Add((floor, figure, isMet, isJudged));

    /// <summary>As a table of Markdown, with the names of those that are missed below it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("| floor | measured | verdict |\n| --- | --- | --- |\n");
        foreach (var (floor, figure, isMet, isJudged) in _rows)
        {
            text.Append("| ").Append(floor).Append(" | ").Append(figure).Append(" | ").Append(!isJudged ? "not judged: it scatters" : isMet ? "held" : "MISSED").Append(" |\n");
        }

        foreach (var (floor, figure, _, _) in _rows.Where(row => row is { IsMet: false, IsJudged: true }))
        {
            text.Append("\nMissed: ").Append(floor).Append(" (").Append(figure).Append(").");
        }

        return text.ToString();
    }
}
