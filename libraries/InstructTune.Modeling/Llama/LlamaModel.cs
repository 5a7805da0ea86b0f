// Shape letters in this file:
//   B batch   T tokens   R rows   D model width   V vocabulary

using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Driver;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// A LLaMA-family decoder: one set of weights and two ways in, whole sequences with gradients for training, and flattened steps
/// over a cache for serving. Not thread-safe: one thread owns a model.
/// </summary>
public sealed class LlamaModel : IDisposable
{
    private readonly WeightStore _store;
    private readonly RotaryTable _rotary;
    private readonly Tensor _embedding_VD;
    private readonly TransformerBlock[] _blocks;
    private readonly Tensor _finalNorm_D;
    private readonly Projection _head;
    private readonly Dictionary<string, ModelWeight> _byName;
    private LayerDriver? _driver;

    internal LlamaModel(LlamaConfig config, BaseFormat format = BaseFormat.Fp32, ModelBackend? backend = null)
    {
        Config = config;
        Backend = backend ?? ModelBackend.Processor;
        Format = format;
        var isNarrow = format == BaseFormat.Bf16 || (format is BaseFormat.Nf4 or BaseFormat.Nf4PlainScales && config.StorageType == "bfloat16");
        _store = new WeightStore(format, isNarrow ? ScalarType.BFloat16 : ScalarType.Float32, Backend);
        _rotary = new RotaryTable(config, Backend.Device);
        (_embedding_VD, var embedding) = _store.AddTable("model.embed_tokens.weight", config.VocabularySize, config.ModelWidth);
        _blocks = [.. Enumerable.Range(0, config.LayerCount).Select(i => new TransformerBlock(config, i, _store))];
        _finalNorm_D = _store.Add("model.norm.weight", config.ModelWidth);
        var head = config.TiedEmbeddings ? embedding : _store.AddTable("lm_head.weight", config.VocabularySize, config.ModelWidth).Matrix;
        _head = new Projection(AdapterPlan.Head, head, null);
        Parameters = _store.Named();
        Weights = _store.Weights();
        _byName = Weights.ToDictionary(w => w.Name, StringComparer.Ordinal);
    }

    /// <summary>Sizes and rules.</summary>
    public LlamaConfig Config { get; }

    /// <summary>How its weights are kept.</summary>
    public BaseFormat Format { get; }

    /// <summary>Where its weights lie.</summary>
    public ModelBackend Backend { get; }

    /// <summary>
    /// The weights under their Hugging Face names, ordered by name. A tied output head is not listed, nor are weights that are no tensors
    /// because they are quantised.
    /// </summary>
    public IReadOnlyList<NamedTensor> Parameters { get; }

    /// <summary>Number of weights.</summary>
    public long ParameterCount => Weights.Sum(w => w.Shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>Bytes that the weights take.</summary>
    public long SizeBytes => Weights.Sum(w => w.SizeBytes);

    /// <summary>Whether the weights themselves are trained; a loaded model is frozen.</summary>
    public bool IsTrainable { get; private set; }

    /// <summary>All weights under their Hugging Face names, ordered by name, in whatever form they are kept.</summary>
    internal IReadOnlyList<ModelWeight> Weights { get; }

    /// <summary>Told of the stream before the first layer (0) and after each (1 and on): for comparisons with other programs.</summary>
    internal Action<int, Tensor>? LayerObserver { get; set; }

    /// <summary>A new model with normal weights; equal seeds give equal bits.</summary>
    public static LlamaModel CreateRandom(LlamaConfig config, StepSeed seed)
    {
        var model = new LlamaModel(config);
        RandomWeights.Fill(model, seed);
        return model;
    }

    /// <summary>Makes every weight a leaf with gradients, or freezes all and drops their gradients.</summary>
    /// <exception cref="InvalidOperationException">The weights are not float32: small updates of others round to nothing.</exception>
    public void SetTrainable(bool trainable) => SetTrainable(_ => trainable);

    /// <summary>Makes some weights leaves with gradients, and freezes the others and drops their gradients.</summary>
    /// <param name="isTrained">Whether the weight of this name is trained.</param>
    /// <exception cref="InvalidOperationException">The weights are not float32: small updates of others round to nothing.</exception>
    public void SetTrainable(Func<string, bool> isTrained)
    {
        var trainable = Parameters.Any(parameter => isTrained(parameter.Name));
        if (trainable && Format != BaseFormat.Fp32)
        {
            throw new InvalidOperationException($"Weights kept as {Format} cannot be trained; load the model as {BaseFormat.Fp32}, or train an adapter over it.");
        }

        IsTrainable = trainable;
        foreach (var parameter in Parameters)
        {
            parameter.Value.requires_grad_(isTrained(parameter.Name));
            if (!parameter.Value.requires_grad)
            {
                parameter.Value.grad = null;
            }
        }
    }

    /// <summary>A frozen copy whose weights are kept otherwise: what they stand for here, rounded or quantised where the form asks for it.</summary>
    public LlamaModel InFormat(BaseFormat format)
    {
        using var frozen = no_grad();
        var copy = new LlamaModel(Config, format);
        foreach (var weight in Weights)
        {
            using var value = weight.Read();
            copy.Write(weight.Name, value);
        }

        return copy;
    }

    /// <summary>Training: right-padded token ids (int64) to the normed stream of every position.</summary>
    /// <param name="ids_BT">The tokens.</param>
    /// <param name="adapter">An adapter to run with, trained or not.</param>
    /// <param name="dropout">Stream of the adapter's dropout; without it nothing is dropped.</param>
    /// <param name="placement">Where the tokens stand, when a row is not one sequence from position 0.</param>
    /// <param name="noise">What is added to the embeddings; null for nothing.</param>
    /// <param name="place">Where the rows stand in their optimizer step; null where they are all of it.</param>
    public Tensor Hidden(
        Tensor ids_BT, LoraAdapter? adapter = null, StepSeed? dropout = null, TokenPlacement? placement = null, EmbeddingNoise? noise = null, StepPlace? place = null)
    {
        using var scope = NewDisposeScope();
        var tokens = (int)ids_BT.size(1);
        placement?.RefuseMismatch((int)ids_BT.size(0), tokens);
        var pass = new TrainingPass(Config, ids_BT.size(0), tokens, placement is null ? _rotary.Prefix(tokens) : placement.Rotation(_rotary, tokens), fused: !IsTrainable)
        {
            Segments = placement?.SegmentsOf(tokens),
            Adapter = adapter,
            Dropout = dropout is { } seed ? new RowSeeds(seed, place?.FirstRow ?? 0, tokens) : null,
        };
        var ids_R = ids_BT.reshape(-1);
        var embedded_RD = adapter?.Embed(_embedding_VD, ids_R) ?? Embed(ids_R);
        var hidden_RD = Run(noise?.Add(embedded_RD, tokens, place ?? new StepPlace(0, tokens), pass.Segments) ?? embedded_RD, pass);
        return hidden_RD.view(ids_BT.size(0), ids_BT.size(1), Config.ModelWidth).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Training: adds the gradients of a micro-batch to those of the weights that require any, layer by layer and without a graph, and returns the sum
    /// of the losses of its trained tokens, in nats.
    /// </summary>
    /// <param name="batch">The rows.</param>
    /// <param name="stepTrainedTokens">Trained tokens of the whole optimizer step, which the loss is divided by.</param>
    /// <param name="settings">What is trained, and how memory is traded for time.</param>
    public double Backward(PaddedBatch batch, long stepTrainedTokens, BackwardSettings settings)
    {
        if (ComputeDevice.SharesMemory)
        {
            return (_driver ??= new LayerDriver(this)).Run(batch, stepTrainedTokens, settings);
        }

        // Elsewhere by libtorch's graph, which keeps what it needs.
        settings.Entered?.Invoke(StepPhase.Forward);
        var hidden_BTD = Hidden(batch.Ids_BT, settings.Adapter, settings.Dropout, batch.Placement, settings.Noise, batch.Place);
        var dropout = settings.Dropout is { } seed ? new RowSeeds(seed, batch.Place.FirstRow, batch.Ids_BT.size(1)) : null;
        settings.Entered?.Invoke(StepPhase.Backward);
        return ResponseLoss.Backward(
            hidden_BTD, batch, (rows_RD, first) => Logits(rows_RD, settings.Adapter, batch.SeedsOf(dropout, first, rows_RD.size(0))), Config.VocabularySize,
            stepTrainedTokens);
    }

    /// <summary>Serving: one step over many sequences, without gradients. Writes the new keys and values to the cache.</summary>
    /// <param name="batch">The sequences.</param>
    /// <param name="cache">Their earlier keys and values.</param>
    /// <param name="adapters">The adapters that sequences name.</param>
    /// <returns>The normed stream, one row per new token, in the order of the batch.</returns>
    public Tensor Hidden(StepBatch batch, KvCache cache, AdapterBank? adapters = null)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var layout = new StepLayout(batch);
        var pass = new ServingPass(Config, batch, layout, cache, _rotary, Backend.Device) { Adapters = AdapterStep.Of(batch, layout, adapters) };
        var ids_R = tensor(layout.Rows((sequence, token) => sequence.Ids.Span[token - sequence.CachedTokens]), device: Backend.Device);
        var hidden_RD = Run(Embed(ids_R), pass);
        var ordered_RD = layout.RowOfBatchRow() is { } rows ? hidden_RD.index_select(0, tensor(rows, device: Backend.Device)) : hidden_RD;
        return ordered_RD.MoveToOuterDisposeScope();
    }

    /// <summary>Serving: scores of the next token for a few rows, without gradients. A row's bits do not depend on the others.</summary>
    public Tensor NextLogits(Tensor hidden_RD)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var logits_RV = empty(hidden_RD.size(0), Config.VocabularySize, device: Backend.Device);
        _head.Weight.Multiply(hidden_RD.contiguous(), blockRows: 0, null, logits_RV);
        return logits_RV.MoveToOuterDisposeScope();
    }

    /// <summary>Scores of the next token for rows of the normed stream. Rows are padded to a multiple of four inside.</summary>
    /// <param name="hidden_RD">The rows.</param>
    /// <param name="adapter">The adapter in training; it may bring its own output head, or adapt the model's.</param>
    /// <param name="dropout">Streams of these rows for the adapter's dropout on the head; without them nothing is dropped.</param>
    public Tensor Logits(Tensor hidden_RD, LoraAdapter? adapter = null, RowSeeds? dropout = null)
    {
        using var scope = NewDisposeScope();
        var rows = hidden_RD.size(0);
        var padding = -rows & 3;
        if (padding > 0)
        {
            hidden_RD = cat([hidden_RD, hidden_RD.narrow(0, 0, 1).expand(padding, -1)], 0);
            dropout = dropout is { Chosen: { } chosen } ? dropout with { Chosen = [.. chosen, .. Enumerable.Repeat(chosen[0], (int)padding)] } : dropout;
        }

        var logits_RV = adapter?.Head(_head, hidden_RD, dropout) ?? _head.Weight.Linear(hidden_RD, null);
        return logits_RV.narrow(0, 0, rows).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _driver?.Dispose();
        _rotary.Dispose();
        _store.Dispose();
    }

    internal RotaryTable Rotary => _rotary;

    internal IReadOnlyList<TransformerBlock> Blocks => _blocks;

    internal Tensor Embedding_VD => _embedding_VD;

    internal Tensor FinalNorm_D => _finalNorm_D;

    internal Projection OutputHead => _head;

    /// <summary>A weight by name, in float32, perhaps a view; the caller disposes it.</summary>
    internal Tensor Read(string name) =>
        _byName[Config.TiedEmbeddings && name == AdapterPlan.Head + ".weight" ? AdapterPlan.Embedding + ".weight" : name].Read();

    /// <summary>Changes a weight.</summary>
    internal void Write(string name, Tensor value) => _byName[name].Write(value);

    private Tensor Embed(Tensor ids_R) => _embedding_VD.index_select(0, ids_R).to_type(ScalarType.Float32);

    private Tensor Run(Tensor x_RD, ForwardPass pass)
    {
        LayerObserver?.Invoke(0, x_RD);
        for (var i = 0; i < _blocks.Length; i++)
        {
            var next_RD = _blocks[i].Forward(x_RD, pass);
            x_RD.Dispose();
            x_RD = next_RD;
            LayerObserver?.Invoke(i + 1, x_RD);
        }

        return RmsNorm.Apply(x_RD, _finalNorm_D, Config.NormEpsilon);
    }
}
