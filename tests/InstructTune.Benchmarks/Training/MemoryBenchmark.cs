using System.Diagnostics;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Estimation;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Benchmarks.Training;

/// <summary>Predicted against measured: the peak of memory and the time of a step, for shapes and methods that differ. Each in a process of its own.</summary>
internal static class MemoryBenchmark
{
    private static readonly LoraSpec s_lora = SpecCompletion.Complete(new LoraSpec());

    private static readonly Case[] s_cases =
    [
        new("nano-full-16x256", KnownShapes.Nano, null, OptimizerKind.AdamW, 16, 256, false),
        new("110M-full-4x256", KnownShapes.Small110M, null, OptimizerKind.AdamW, 4, 256, false),
        new("110M-full-8bit-checkpointed-8x512", KnownShapes.Small110M, null, OptimizerKind.AdamW8Bit, 8, 512, true),
        new("135M-full-lion-4x256", KnownShapes.SmolLm135M, null, OptimizerKind.Lion, 4, 256, false),
        new("135M-lora-4x256", KnownShapes.SmolLm135M, s_lora, OptimizerKind.AdamW, 4, 256, false),
        new("135M-qlora-checkpointed-4x512", KnownShapes.SmolLm135M, s_lora with { QuantizesBase = true }, OptimizerKind.AdamW, 4, 512, true),
    ];

    public static void Run(string[] names)
    {
        if (names is ["one", var name])
        {
            Measure(s_cases.Single(subject => subject.Name == name));
            return;
        }

        Console.WriteLine("| case | predicted MiB | measured MiB | off | predicted s a step | measured s | off | by GFLOP/s and GB/s |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var subject in s_cases.Where(subject => names.Length == 0 || names.Contains(subject.Name, StringComparer.Ordinal)))
        {
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["training-memory", "one", subject.Name]))!;
            process.WaitForExit();
        }
    }

    private static void Measure(Case subject)
    {
        NativeHeap.KeepFreedBlocks();
        var speed = ProcessorSpeed.Measure(Environment.ProcessorCount);
        TorchThreads.Pin(Environment.ProcessorCount);
        var rows = TrainingRow.Rectangle(subject.Config, subject.Rows, subject.Tokens);
        var memory = new StageMemory(subject.Config, new MethodSpec(subject.Lora), TrainingPrecision.Float32, subject.Optimizer, hasMoment: false);
        var predicted = memory.PeakBytes(memory.ActivationBytes(rows, subject.Recomputes));
        var predictedSeconds = new StageWork(memory, subject.Recomputes, speed).SecondsOf([rows]);
        var seconds = MeasuredSeconds(subject, rows);
        var measured = ProcessMemory.PeakBytes;
        Console.WriteLine(
            $"| {subject.Name} | {predicted >> 20} | {measured >> 20} | {(double)predicted / measured - 1:+0%;-0%;0%} "
                + $"| {predictedSeconds:F2} | {seconds:F2} | {predictedSeconds / seconds - 1:+0%;-0%;0%} | {speed.FlopsPerSecond / 1e9:F0}, {speed.BytesPerSecond / 1e9:F0} |");
    }

    private static double MeasuredSeconds(Case subject, IReadOnlyList<TokenizedExample> rows)
    {
        const int Steps = 3;
        using var trainee = new BenchmarkTrainee(subject.Config, subject.Lora?.Rank ?? 0, subject.Lora is { QuantizesBase: true } ? BaseFormat.Nf4 : BaseFormat.Fp32)
        {
            RecomputesLayers = subject.Recomputes,
        };
        ProcessMemory.ForgetPeak();
        using var optimizer = Optimizer.Create(trainee.Weights, SettingsOf(subject.Optimizer));
        using var turns = new DeviceTurns();
        var training = new TrainingStep(trainee, optimizer, maxGradientNorm: 1);
        return Enumerable.Range(0, Steps + 1).Select(step => Rounds.Time(
            () => training.Run([rows], 1e-5, new StepSeed(0), () => turns.Enter(CancellationToken.None)))).Skip(1).Min();
    }

    private static OptimizerSettings SettingsOf(OptimizerKind kind) =>
        OptimizerConstants.Settings(OptimizerConstants.Complete(new StageSpec { StageId = "one", Dataset = "", Optimizer = kind }));

    private sealed record Case(
        string Name, LlamaConfig Config, LoraSpec? Lora, OptimizerKind Optimizer, int Rows, int Tokens, bool Recomputes);
}
