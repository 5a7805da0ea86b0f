using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Modeling.Driver;

/// <summary>How long <see cref="LayerDriver"/> takes for a micro-batch: operations by kind over what the processor does of the kind.</summary>
public sealed class DriverTime
{
    // Shares of the measured rates that each kind of work is taken to reach. They have no unit and belong to the code, not to a machine; they are judged,
    // not fitted: `eng/run bench-memory` shows how far the time that follows is from the measured one.
    private const double ProductShare = 1.0;
    private const double AdapterShare = 0.45;
    private const double AttentionShare = 0.45;
    private const double BackAttention = 2.5;
    private const double RowPasses = 14;

    private readonly LlamaConfig _config;
    private readonly LoraConfig? _lora;
    private readonly ProcessorSpeed _speed;
    private readonly double _linearWeights;
    private readonly double _adapterWeights;

    /// <param name="config">The model.</param>
    /// <param name="lora">The adapter that is trained; null for the weights.</param>
    /// <param name="speed">Of the processor.</param>
    public DriverTime(LlamaConfig config, LoraConfig? lora, ProcessorSpeed speed)
    {
        (_config, _lora, _speed) = (config, lora, speed);
        var modules = LinearModule.Of(config).ToArray();
        _linearWeights = modules.Sum(module => (double)module.Inputs * module.Outputs);
        _adapterWeights = lora is null ? 0 : modules.Where(module => ModuleMatch.Targets(lora, module.Path)).Sum(module => (double)lora.Rank * (module.Inputs + module.Outputs));
    }

    /// <summary>Seconds of one micro-batch.</summary>
    /// <param name="rows">The examples, or packed rows.</param>
    /// <param name="recomputes">Whether layers are computed again on the way back.</param>
    public double Seconds(IReadOnlyList<TokenizedExample> rows, bool recomputes)
    {
        double longest = rows.Max(row => row.Ids.Length);
        var tokens = longest * rows.Count;
        double trained = rows.Sum(row => row.TrainedTokenCount);
        var head = (double)_config.VocabularySize * _config.ModelWidth * trained;
        var forward = _linearWeights * tokens;
        var passes = (_lora is null ? 3 : 2) + (recomputes ? 1 : 0);
        var products = 2 * ((forward * passes) + (head * (_lora is null ? 3 : 2)));
        var pairs = rows.Sum(row => row.SegmentTokens is { } segments
            ? segments.Sum(segment => (double)segment * segment)
            : longest * longest) / 2;
        var attention = 4 * pairs * _config.QueryHeads * _config.HeadWidth * _config.LayerCount * (1 + BackAttention + (recomputes ? 1 : 0));
        var moved = sizeof(float) * tokens * _config.LayerCount * RowPasses * (_config.ModelWidth + _config.FeedForwardWidth) * (recomputes ? 1.3 : 1);
        return (products / (_speed.FlopsPerSecond * ProductShare))
            + (6 * _adapterWeights * tokens / (_speed.FlopsPerSecond * AdapterShare))
            + (attention / (_speed.FlopsPerSecond * AttentionShare))
            + (moved / _speed.BytesPerSecond);
    }

    /// <summary>Seconds of the update, which reads and writes each weight, its gradient and its moments.</summary>
    public double UpdateSeconds(long trainableCount, long optimizerBytes) =>
        ((24.0 * trainableCount) + (2 * optimizerBytes)) / _speed.BytesPerSecond;
}
