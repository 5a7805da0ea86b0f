using System.Globalization;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>A measurement, not a check: run it alone on an idle machine, with <c>-explicit only</c>.</summary>
public sealed class ThroughputTests(ITestOutputHelper output)
{
    // The shape of a small base: 5.4 million weights, batch 16 x 256 in full.
    private static LlamaConfig Config { get; } = new()
    {
        VocabularySize = 4096, ModelWidth = 256, FeedForwardWidth = 688, LayerCount = 6, QueryHeads = 8, KeyValueHeads = 4, HeadWidth = 32,
        ContextTokens = 1024, TiedEmbeddings = true,
    };

    [Fact(Explicit = true)]
    public void Full_training_of_a_small_base_in_tokens_per_second()
    {
        const int Warm = 2;
        const int Steps = 10;
        NativeHeap.KeepFreedBlocks();
        using var trainee = new RandomTrainee(Config);
        using var optimizer = Optimizer.Create(trainee.Weights, new AdamWSettings());
        using var turns = new DeviceTurns();
        var training = new TrainingStep(trainee, optimizer, maxGradientNorm: 1);
        var random = SeededPermutation.Of(Config.VocabularySize, new StepSeed(1));
        TokenizedExample[] rows = [.. Enumerable.Range(0, 16).Select(b => new TokenizedExample(
            [.. Enumerable.Range(0, 256).Select(t => random[(b * 256) + t])], [.. Enumerable.Repeat(true, 256)]))];
        var started = TimeProvider.System.GetTimestamp();
        var computed = Environment.CpuUsage.TotalTime;
        for (var step = 0; step < Warm + Steps; step++)
        {
            if (step == Warm)
            {
                started = TimeProvider.System.GetTimestamp();
                computed = Environment.CpuUsage.TotalTime;
            }

            training.Run([rows], 1e-4, new StepSeed(0), () => turns.Enter(CancellationToken.None));
        }

        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var processorSeconds = (Environment.CpuUsage.TotalTime - computed).TotalSeconds;
        var flops = 6.0 * trainee.Weights.Sum(weight => weight.Value.numel()) * 16 * 256 * Steps / seconds;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{16 * 256 * Steps / seconds:F0} tokens/s, {16 * 256 * Steps / processorSeconds:F0} tokens per processor second, {flops / 1e9:F0} GFLOP/s (6N), {NumericsFingerprint.ToText(NumericsFingerprint.Current())}"));
    }
}
