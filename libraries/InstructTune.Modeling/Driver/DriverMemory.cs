using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// What <see cref="LayerDriver"/> takes for a micro-batch, term by term as <see cref="FusedLayer"/> and its like take it. A function of shapes only.
/// </summary>
public sealed class DriverMemory
{
    private readonly LlamaConfig _config;
    private readonly long _width;
    private readonly long _queries;
    private readonly long _keptByLayer;
    private readonly long _ranks;
    private readonly bool _usesGraph;
    private readonly int _keptLayers;

    /// <param name="config">The model.</param>
    /// <param name="trained">What is trained of it.</param>
    public DriverMemory(LlamaConfig config, TrainedPart trained)
    {
        _config = config;
        _keptLayers = config.LayerCount - trained.FirstLayer;
        var lora = trained.Lora;
        _width = config.ModelWidth;
        _queries = (long)config.QueryHeads * config.HeadWidth;
        var outputs = _queries + (2L * config.KeyValueHeads * config.HeadWidth);
        _ranks = lora is null ? 0 : LinearModule.Of(config).Take(LinearModule.ByLayer).Count(module => ModuleMatch.Targets(lora, module.Path)) * (long)lora.Rank;
        _usesGraph = lora is { UseDora: true } or { LoraBias: true };

        // Queries to values, raw ones too where heads have norms, sums of attention, what was attended to, the stream, gate and up.
        _keptByLayer = (outputs * (config.HeadNorms ? 2 : 1)) + config.QueryHeads + _queries + _width + (2L * config.FeedForwardWidth) + _ranks;

        // A graph keeps norms in two copies more, results before and after what is done to them, and for DoRA three forms of each product.
        if (_usesGraph)
        {
            _keptByLayer = (11 * _width) + (4 * outputs) + (6L * config.FeedForwardWidth) + (3 * (outputs + (2 * _width) + (2L * config.FeedForwardWidth)));
        }
    }

    /// <summary>Bytes that one token more keeps from the way there to the way back.</summary>
    public long BytesPerToken(bool recomputes) =>
        sizeof(float) * _keptLayers * (recomputes ? _width : _width + _keptByLayer);

    /// <summary>The most that a micro-batch takes.</summary>
    /// <param name="rows">Tokens, padding included.</param>
    /// <param name="trainedTokens">Those with a label.</param>
    /// <param name="recomputes">Whether layers are computed again on the way back.</param>
    public long PeakBytes(long rows, long trainedTokens, bool recomputes)
    {
        // Two of the stream's width, two of the gate's, one of the queries'; then the first input and the gradient.
        var always = rows * ((2 * _width) + (2L * _config.FeedForwardWidth) + _queries + (2 * _width));
        var kept = rows * BytesPerToken(recomputes) / sizeof(float);

        // Below the first layer that is trained the stream takes turns between two, and what a layer made is let go of at its end.
        var below = _keptLayers < _config.LayerCount ? rows * (_width + _keptByLayer) : 0;
        var layer = rows * (_ranks + (recomputes ? _keptByLayer : 0));
        var chunk = Math.Min(trainedTokens, HeadStep.ChunkRows(_config.VocabularySize)) * _config.VocabularySize;
        var loss = (4 * trainedTokens * _width) + chunk;
        return sizeof(float) * (always + Math.Max(kept + Math.Max(layer, loss), below));
    }
}
