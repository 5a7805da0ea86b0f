using System.Globalization;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Estimation;

/// <summary>The work of optimizer steps of one stage, as the time that a processor takes for it.</summary>
internal sealed class StageWork(StageMemory memory, bool recomputes, ProcessorSpeed speed)
{
    private readonly DriverTime _time = new(memory.Config, memory.Trained, speed);

    /// <summary>A processor that does not exist: what work is counted in where it is compared with what it took.</summary>
    public static ProcessorSpeed Reference { get; } = new(FlopsPerSecond: 1e11, BytesPerSecond: 1e10);

    public double SecondsOf(IReadOnlyList<IReadOnlyList<TokenizedExample>> passes) =>
        passes.Sum(rows => _time.Seconds(rows, recomputes)) + _time.UpdateSeconds(memory.TrainableCount, memory.OptimizerBytes);

    /// <summary>Stages of one kind take the same time for the same work: equal shape, method, optimizer and way back.</summary>
    public static string KindOf(FineTuneSpec spec, StageSpec stage, LlamaConfig config, bool recomputes)
    {
        var method = spec.MethodOf(stage);
        var trained = method switch
        {
            { Lora: { } lora } => string.Create(
                CultureInfo.InvariantCulture,
                $"lora {lora.Rank} dropout {lora.Dropout > 0} dora {lora.WeightDecomposed} four-bit {lora.QuantizesBase} on {string.Join(',', lora.TargetModules.Order(StringComparer.Ordinal))}"),
            { Freeze: { } freeze } => string.Create(CultureInfo.InvariantCulture, $"freeze {freeze.LastLayers} {string.Join(',', freeze.Modules)}"),
            _ => "full",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{config.Family} {config.VocabularySize} {config.ModelWidth} {config.FeedForwardWidth} {config.LayerCount} {config.QueryHeads} {config.KeyValueHeads} {config.HeadWidth} "
                + $"{config.TiedEmbeddings}; {trained}; {spec.Precision} {stage.Optimizer} again {recomputes}");
    }
}
