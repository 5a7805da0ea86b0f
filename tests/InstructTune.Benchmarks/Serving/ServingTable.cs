using System.Globalization;
using System.Runtime.InteropServices;

namespace InstructTune.Benchmarks.Serving;

/// <summary>Prints what was measured, as lines of Markdown.</summary>
internal sealed class ServingTable(MachineRoofs roofs, bool ratiosCount)
{
    private readonly List<(string Bar, string Figure, bool IsMet)> _bars = [];

    public void Head()
    {
        Console.WriteLine("| load | ours | llama.cpp | ratio | floor | gap between tokens p50 / p99 ms, ours | llama.cpp | of memory roof | of FMA peak |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    }

    public void Add(ServingRow row, OurModel model, (DecodeRun[] Ours, DecodeRun[] Theirs) runs)
    {
        var (ours, theirs) = (FigureOf(row, runs.Ours), FigureOf(row, runs.Theirs));
        var ratio = row.Kind == RowKind.FirstToken ? theirs / ours : ours / theirs;
        var unit = row.Kind == RowKind.FirstToken ? "ms" : "tok/s";
        var tokens = row.Kind == RowKind.FirstToken ? row.PromptTokens * 1000 / ours : ours;
        var passes = tokens / (row.Kind == RowKind.Decode ? row.Streams : row.PromptTokens);
        if (row.Floor > 0)
        {
            _bars.Add((
                string.Create(CultureInfo.InvariantCulture, $"{row.Model.Name}, {row.Name}: at least {row.Floor:F1} times llama.cpp"),
                string.Create(CultureInfo.InvariantCulture, $"{ratio:F2}"), ratiosCount && ratio >= row.Floor));
        }

        var floor = row.Floor == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{row.Floor:F1} {(ratio >= row.Floor ? "held" : "MISSED")}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {row.Name} | {ours:F1} {unit} | {theirs:F1} {unit} | {(ratiosCount ? ratio.ToString("F2", CultureInfo.InvariantCulture) : "void")} | {floor} | {Gaps(runs.Ours)} | {Gaps(runs.Theirs)} | {passes * model.SizeBytes / roofs.BytesPerSecond:P0} | {2 * tokens * model.WeightsPerToken / roofs.FlopsPerSecond:P0} |"));
    }

    /// <summary>Every bar with its figure; false when one is missed.</summary>
    public bool Judge(int equal, int prompts)
    {
        (string Bar, string Figure, bool IsMet)[] bars = [("greedy tokens in float32 equal, or no ratio counts", $"{equal} of {prompts} prompts", equal == prompts), .. _bars];
        var (width, figures) = (bars.Max(bar => bar.Bar.Length), bars.Max(bar => bar.Figure.Length));
        Console.WriteLine("\nVerdict");
        foreach (var (bar, figure, isMet) in bars)
        {
            Console.WriteLine($"  {bar.PadRight(width)} | {figure.PadRight(figures)} | {(isMet ? "met" : "MISSED")}");
        }

        return bars.All(bar => bar.IsMet);
    }

    public string Fingerprint(string commit, string peer, int threads)
    {
        var cpu = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim();
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return string.Create(CultureInfo.InvariantCulture, $"""

            Medians of 3 rounds in turns; figures are steps of the models and picking the greedy token, without a service around either.
            {cpu}, {threads} threads, {RuntimeInformation.FrameworkDescription}, commit {commit}; load average at the end {load}
            Roofs measured here: reading {roofs.BytesPerSecond / 1e9:F1} GB/s, FMA {roofs.FlopsPerSecond / 1e9:F0} GFLOP/s
            Peer: {peer}
            """);
    }

    private static double FigureOf(ServingRow row, DecodeRun[] runs) => Rounds.Median(runs.Select(run => row.Kind switch
    {
        RowKind.Prompt => row.PromptTokens / run.PromptSeconds,
        RowKind.FirstToken => run.PromptSeconds * 1000,
        _ => row.Streams * row.Steps / run.StepSeconds.Sum(),
    }));

    private static string Gaps(DecodeRun[] runs)
    {
        var sorted = runs.SelectMany(run => run.StepSeconds.Length == 0 ? [run.PromptSeconds] : run.StepSeconds).Order().ToArray();
        return string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Length / 2] * 1000:F1} / {sorted[(int)(sorted.Length * 0.99)] * 1000:F1}");
    }
}
