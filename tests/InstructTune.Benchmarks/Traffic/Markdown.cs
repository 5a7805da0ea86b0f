using System.Globalization;
using System.Text;
using InstructTune.Testing.Load;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>A table to be pasted into a document.</summary>
internal sealed class Markdown(params string[] columns)
{
    private readonly StringBuilder _text = new($"\n| {string.Join(" | ", columns)} |\n|{string.Concat(Enumerable.Repeat(" --- |", columns.Length))}");

    public void Add(params string[] cells) => _text.Append("\n| ").AppendJoin(" | ", cells).Append(" |");

    public void Print(string title) => Console.WriteLine($"\n### {title}\n{_text}");

    public static string Of(double value, string format = "F1") => double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "-";

    /// <summary>Percentiles of seconds, in milliseconds.</summary>
    public static string Milliseconds(IReadOnlyCollection<double> seconds, params double[] shares) =>
        string.Join(" / ", shares.Select(share => Of(Percentiles.Of(seconds, share) * 1000)));
}
