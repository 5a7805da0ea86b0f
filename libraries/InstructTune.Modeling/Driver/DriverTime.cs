using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Modeling.Driver;

/// <summary>How long <see cref="LayerDriver"/> takes for a micro-batch: operations by kind of work over what the processor does of the kind.</summary>
public sealed class DriverTime
{
    // Shares of the measured rates that each kind of work reaches. They have no unit and belong to the code, not to a machine or a shape. Between what was
    // found on one thread and on two, of nano in full, on LIMA's lengths too, and SmolLM2-135M with LoRA: products 0.68 to 0.80, attention 0.53 and 0.58,
    // adapters 0.41, rows 0.85 to 1.04. `eng/run profile-training ROW one-thread` prints what a kind took beside what follows from them.
    private const double ProductShare = 0.73;
    private const double AdapterShare = 0.4;
    private const double AttentionShare = 0.53;
    private const double RowShare = 0.9;

    // Scores twice, and five products there and back; a pair of query and key costs about so many operations more for its weight.
    private const double ForwardPairProducts = 2;
    private const double BackPairProducts = 5;
    private const double PairOperations = 20;

    private readonly LlamaConfig _config;
    private readonly TrainedPart _trained;
    private readonly ProcessorSpeed _speed;
    private readonly double _layerWeights;
    private readonly double _adapterWeights;

    /// <param name="config">The model.</param>
    /// <param name="trained">What is trained of it.</param>
    /// <param name="speed">Of the processor.</param>
    public DriverTime(LlamaConfig config, TrainedPart trained, ProcessorSpeed speed)
    {
        (_config, _trained, _speed) = (config, trained, speed);
        var modules = LinearModule.Of(config).ToArray();
        _layerWeights = modules.Take(LinearModule.ByLayer).Sum(module => (double)module.Inputs * module.Outputs);
        _adapterWeights = trained.Lora is not { } lora ? 0
            : modules.Where(module => ModuleMatch.Targets(lora, module.Path)).Sum(module => (double)lora.RankOf(module.Path) * (module.Inputs + module.Outputs));
    }

    // Layers forward, and layers on the way back.
    private double Forward(bool recomputes) => _config.LayerCount + (recomputes ? Back : 0);

    private double Back => _config.LayerCount - _trained.FirstLayer;

    /// <summary>Seconds of one micro-batch.</summary>
    /// <param name="rows">The examples, or packed rows.</param>
    /// <param name="recomputes">Whether layers are computed again on the way back.</param>
    public double Seconds(IReadOnlyList<TokenizedExample> rows, bool recomputes) => Parts(rows, recomputes).Values.Sum();

    /// <summary>The same by kind of work.</summary>
    public IReadOnlyDictionary<DriverWork, double> Parts(IReadOnlyList<TokenizedExample> rows, bool recomputes)
    {
        double longest = rows.Max(row => row.Ids.Length);
        var tokens = longest * rows.Count;
        double trained = rows.Sum(row => row.TrainedTokenCount);
        var (flops, bytes) = (_speed.FlopsPerSecond, _speed.BytesPerSecond);
        var head = 2.0 * _config.VocabularySize * _config.ModelWidth * trained * (_trained.HasHead ? 3 : 2);
        return new Dictionary<DriverWork, double>
        {
            [DriverWork.Products] = 2 * tokens * ((_layerWeights * (Forward(recomputes) + Back)) + _trained.LinearWeights) / (flops * ProductShare),
            [DriverWork.Adapters] = (recomputes ? 8 : 6) * _adapterWeights * tokens / (flops * AdapterShare),
            [DriverWork.Attention] = Pairs(rows, longest) * _config.QueryHeads * PairFlops(recomputes) / (flops * AttentionShare),
            [DriverWork.Rows] = sizeof(float) * tokens * RowFloats(recomputes) / (bytes * RowShare),
            [DriverWork.Head] = head / (flops * ProductShare),

            // Read for the greatest, read and written for powers, and for what they are divided by; some of it from the cache.
            [DriverWork.Loss] = sizeof(float) * 3.0 * _config.VocabularySize * trained / (bytes * RowShare),
        };
    }

    /// <summary>Seconds of the update, which reads and writes each weight, its gradient and its moments.</summary>
    public double UpdateSeconds(long trainableCount, long optimizerBytes) =>
        ((24.0 * trainableCount) + (2 * optimizerBytes)) / _speed.BytesPerSecond;

    private static double Pairs(IReadOnlyList<TokenizedExample> rows, double longest) =>
        rows.Sum(row => row.SegmentTokens is { } segments ? segments.Sum(segment => (double)segment * segment) : longest * longest) / 2;

    private double PairFlops(bool recomputes) =>
        (Forward(recomputes) * ((ForwardPairProducts * 2 * _config.HeadWidth) + PairOperations)) + (Back * ((BackPairProducts * 2 * _config.HeadWidth) + PairOperations));

    // What norms, angles, gates and copies of a layer read and write of a token, and on the way back the norms and the gate once more.
    private double RowFloats(bool recomputes)
    {
        double width = _config.ModelWidth, feedForward = _config.FeedForwardWidth, turned = (double)(_config.QueryHeads + _config.KeyValueHeads) * _config.HeadWidth;
        return (Forward(recomputes) * ((8 * width) + (2 * turned) + (3 * feedForward))) + (Back * ((18 * width) + (2 * turned) + (6 * feedForward)));
    }
}
