using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Estimation;

/// <summary>What training a stage takes of memory, by part; a function of shapes and settings alone.</summary>
internal sealed class StageMemory
{
    // .NET, libtorch's code and tables, buffers of widened weights, what allocators keep.
    private const long ProcessBytes = 240L << 20;
    private const double AllocatorShare = 0.03;

    // Smaller tensors keep moments in 32 bits.
    private const long SmallestQuantized = 4096;
    private const double Nf4BytesPerWeight = 0.516;
    private const double Nf4BytesWithPlainScales = 0.5625;

    private readonly DriverMemory _driver;
    private readonly long[] _trained;

    /// <param name="config">The model.</param>
    /// <param name="method">What is trained.</param>
    /// <param name="precision">Of the weights.</param>
    /// <param name="optimizer">The rule of the update.</param>
    /// <param name="hasMoment">Whether a rule that need not keeps a mean of gradients.</param>
    public StageMemory(LlamaConfig config, MethodSpec method, TrainingPrecision precision, OptimizerKind optimizer, bool hasMoment)
    {
        (Config, Lora) = (config, method.Lora);
        var adapter = method.Lora is null ? null : ConfigOf(method.Lora);
        var isTrained = TrainedWeights.Of(method.Freeze, config);
        Trained = adapter is null ? TrainedPart.OfWeights(config, isTrained) : TrainedPart.OfAdapter(config, adapter);
        _driver = new DriverMemory(config, Trained);
        _trained = adapter is null
            ? [.. ModelSizes.Linear(config).Concat(ModelSizes.Others(config)).Where(weight => isTrained(weight.Name)).Select(weight => weight.Count)]
            : [.. ModelSizes.Adapter(config, adapter)];
        WeightBytes = BytesOf(config, method.Lora, precision);
        var masters = adapter is null && precision == TrainingPrecision.Bfloat16 ? sizeof(float) * TrainableCount : 0;
        OptimizerBytes = masters + _trained.Sum(size => MomentBytes(config, size, optimizer, hasMoment));
        UpdateBytes = optimizer == OptimizerKind.AdamW ? 0 : 2 * sizeof(float) * _trained.DefaultIfEmpty().Max();
    }

    public LlamaConfig Config { get; }

    public LoraSpec? Lora { get; }

    public TrainedPart Trained { get; }

    public long WeightBytes { get; }

    public long TrainableCount => _trained.Sum();

    public long GradientBytes => sizeof(float) * TrainableCount;

    public long OptimizerBytes { get; }

    /// <summary>Weights, gradients and moments.</summary>
    public long StateBytes => WeightBytes + GradientBytes + OptimizerBytes;

    private long UpdateBytes { get; }

    public static LoraConfig ConfigOf(LoraSpec lora) => new()
    {
        Rank = lora.Rank, Alpha = lora.Alpha, Dropout = lora.Dropout, TargetModules = lora.TargetModules, UseRsLora = lora.RankStabilized, UseDora = lora.WeightDecomposed,
    };

    /// <summary>Of one pass.</summary>
    public long ActivationBytes(IReadOnlyList<TokenizedExample> rows, bool recomputes) => _driver.PeakBytes(
        rows.Count * rows.Max(row => (long)row.Ids.Length), rows.Sum(row => (long)row.TrainedTokenCount), recomputes);

    public long BytesPerToken(bool recomputes) => _driver.BytesPerToken(recomputes);

    /// <summary>Everything at once, where passes take at most so much.</summary>
    public long PeakBytes(long activationBytes) =>
        (long)((StateBytes + Math.Max(activationBytes, UpdateBytes)) * (1 + AllocatorShare)) + ProcessBytes;

    private static long BytesOf(LlamaConfig config, LoraSpec? lora, TrainingPrecision precision)
    {
        var (linear, other) = (ModelSizes.Linear(config).Sum(weight => weight.Count), ModelSizes.Others(config).Sum(weight => weight.Count));
        var adapter = lora is null ? 0 : sizeof(float) * ModelSizes.Adapter(config, ConfigOf(lora)).Sum();
        if (lora is { QuantizesBase: true })
        {
            var perWeight = lora.HasPlainScales ? Nf4BytesWithPlainScales : Nf4BytesPerWeight;
            return (long)(perWeight * linear) + (other * (config.StorageType == "bfloat16" ? sizeof(ushort) : sizeof(float))) + adapter;
        }

        return ((linear + other) * (lora is null || precision == TrainingPrecision.Float32 ? sizeof(float) : sizeof(ushort))) + adapter;
    }

    private static long MomentBytes(LlamaConfig config, long size, OptimizerKind optimizer, bool hasMoment) => optimizer switch
    {
        OptimizerKind.AdamW => 2 * sizeof(float) * size,
        OptimizerKind.AdamW8Bit => size < SmallestQuantized ? 2 * sizeof(float) * size : (2 * size) + (2 * sizeof(float) * size / 256),
        OptimizerKind.Adafactor => (sizeof(float) * ((size / config.ModelWidth) + config.ModelWidth)) + (hasMoment ? sizeof(float) * size : 0),
        OptimizerKind.Lion => sizeof(float) * size,
        _ => hasMoment ? sizeof(float) * size : 0,
    };
}
