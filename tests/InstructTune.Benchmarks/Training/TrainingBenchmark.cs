using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Benchmarks.Training;

/// <summary>Training speed beside the GEMM rate of the same process, and memory beside the formula of the peers.</summary>
internal static class TrainingBenchmark
{
    private const double LeastPackedRatio = 1.5;

    public static void Run(string[] names)
    {
        NativeHeap.KeepFreedBlocks();
        TorchThreads.Pin(Environment.ProcessorCount);
        Console.WriteLine(NumericsFingerprint.ToText(NumericsFingerprint.Current()));
        Console.WriteLine("| row | trained tokens/s | GFLOP/s | GEMM peak | share | bar | forward | backward | optimizer | other | peak MiB | peers' formula | what is lost |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        var measured = new List<(string Name, RowFigures Figures)>();
        foreach (var row in Rows().Where(row => names.Length == 0 || names.Any(name => row.Name.StartsWith(name, StringComparison.Ordinal))))
        {
            var figures = RowMeasurement.Of(row);
            measured.Add((row.Name, figures));
            Console.WriteLine(Line(row, figures));
        }

        // On a machine shared with others each row meets another peak; the best of all of them is the hardest measure.
        if (measured.Count > 1)
        {
            var best = measured.Max(row => row.Figures.PeakRate);
            Console.WriteLine($"of the best peak of all rows, {best / 1e9:F0} GFLOP/s: " + string.Join(
                ", ", measured.Select(row => $"{row.Name} {row.Figures.Share * row.Figures.PeakRate / best:P0}")));
        }

        if (RateOf("nano-lima-packed") is { } packed && RateOf("nano-lima-unpacked") is { } unpacked)
        {
            Console.WriteLine($"packed over unpacked, LIMA's lengths: {packed / unpacked:F2} (at least {LeastPackedRatio:F1}: {(packed / unpacked >= LeastPackedRatio ? "reached" : "missed")})");
        }

        double? RateOf(string name) => measured.Where(row => row.Name == name).Select(row => (double?)row.Figures.TokensPerSecond).FirstOrDefault();
    }

    public static IEnumerable<TrainingRow> Rows()
    {
        var full = new Bar(Floor: 0.60, Aim: 0.75, Peer: null);
        yield return Row("nano-full-16x256", KnownShapes.Nano, 0, 16, 256) with { Bar = new Bar(null, null, Peer: 0.52) };
        yield return Row("110M-full-4x256", KnownShapes.Small110M, 0, 4, 256) with { Bar = full };
        yield return Row("110M-full-4x512", KnownShapes.Small110M, 0, 4, 512) with { Bar = full };
        yield return Row("135M-full-4x256", KnownShapes.SmolLm135M, 0, 4, 256) with { Bar = full with { Peer = 0.56 } };
        yield return Row("135M-lora-4x256", KnownShapes.SmolLm135M, 16, 4, 256) with { Bar = full with { Peer = 0.47 } };
        yield return Row("135M-lora-4x512", KnownShapes.SmolLm135M, 16, 4, 512) with { Bar = full };
        yield return Row("1.1B-lora-1x512", KnownShapes.TinyLlama, 16, 1, 512);
        foreach (var row in LimaRows.Of(Environment.GetEnvironmentVariable("INSTRUCTTUNE_FIXTURES")))
        {
            yield return row;
        }
    }

    private static TrainingRow Row(string name, LlamaConfig config, int rank, int rows, int tokens) =>
        new(name, config, rank, [TrainingRow.Rectangle(config, rows, tokens)]);

    private static string Line(TrainingRow row, RowFigures figures) =>
        $"| {row.Name} | {figures.TokensPerSecond:F0} | {figures.Share * figures.PeakRate / 1e9:F0} | {figures.PeakRate / 1e9:F0} | {figures.Share:P0} | {row.Bar.Text(figures.Share)} "
            + $"| {figures.Phases.ShareOf(StepPhase.Forward):P0} | {figures.Phases.ShareOf(StepPhase.Backward):P0} | {figures.Phases.ShareOf(StepPhase.Update):P0} "
            + $"| {figures.Phases.ShareOf(StepPhase.Other):P1} | {figures.PeakBytes >> 20} | {PeersFormula.Bytes(row) >> 20} | {figures.Limits} |";
}
