// Shape letters in this file:
//   B batch   T tokens   R rows   D model width   V vocabulary

using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// A LLaMA-family decoder: one set of float32 weights and two ways in, whole sequences with gradients for training, and flattened steps
/// over a cache for serving. Not thread-safe: one thread owns a model.
/// </summary>
public sealed class LlamaModel : IDisposable
{
    private readonly WeightStore _store = new();
    private readonly RotaryTable _rotary;
    private readonly Tensor _embedding_VD;
    private readonly TransformerBlock[] _blocks;
    private readonly Tensor _finalNorm_D;
    private readonly Tensor _head_VD;
    private readonly ProjectionGroup _head;
    private readonly Dictionary<string, Tensor> _byName;

    internal LlamaModel(LlamaConfig config)
    {
        Config = config;
        _rotary = new RotaryTable(config);
        _embedding_VD = _store.Add("model.embed_tokens.weight", config.VocabularySize, config.ModelWidth);
        _blocks = [.. Enumerable.Range(0, config.LayerCount).Select(i => new TransformerBlock(config, i, _store))];
        _finalNorm_D = _store.Add("model.norm.weight", config.ModelWidth);
        _head_VD = config.TiedEmbeddings ? _embedding_VD : _store.Add("lm_head.weight", config.VocabularySize, config.ModelWidth);
        _head = new ProjectionGroup([], _head_VD, null);
        Parameters = _store.Named();
        _byName = Parameters.ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
    }

    /// <summary>Sizes and rules.</summary>
    public LlamaConfig Config { get; }

    /// <summary>The weights under their Hugging Face names, ordered by name. A tied output head is not listed.</summary>
    public IReadOnlyList<NamedTensor> Parameters { get; }

    /// <summary>Number of weights.</summary>
    public long ParameterCount => Parameters.Sum(p => p.Value.numel());

    /// <summary>Whether the weights themselves are trained; a loaded model is frozen.</summary>
    public bool IsTrainable { get; private set; }

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
    public void SetTrainable(bool trainable)
    {
        IsTrainable = trainable;
        foreach (var parameter in Parameters)
        {
            parameter.Value.requires_grad_(trainable);
            if (!trainable)
            {
                parameter.Value.grad = null;
            }
        }
    }

    /// <summary>Training: right-padded token ids (int64) to the normed stream of every position.</summary>
    /// <param name="ids_BT">The tokens.</param>
    /// <param name="adapter">An adapter to run with, trained or not.</param>
    /// <param name="dropout">Stream of the adapter's dropout; without it nothing is dropped.</param>
    public Tensor Hidden(Tensor ids_BT, LoraAdapter? adapter = null, StepSeed? dropout = null)
    {
        using var scope = NewDisposeScope();
        var pass = new TrainingPass(Config, ids_BT, _rotary.Prefix((int)ids_BT.size(1)), fused: !IsTrainable)
        {
            Adapter = adapter,
            Dropout = dropout,
        };
        var ids_R = ids_BT.reshape(-1);
        var hidden_RD = Run(adapter?.Embed(_embedding_VD, ids_R) ?? _embedding_VD.index_select(0, ids_R), pass);
        return hidden_RD.view(ids_BT.size(0), ids_BT.size(1), Config.ModelWidth).MoveToOuterDisposeScope();
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
        var pass = new ServingPass(Config, batch, layout, cache, _rotary) { Adapters = AdapterStep.Of(batch, layout, adapters) };
        var ids_R = tensor(layout.Rows((sequence, token) => sequence.Ids.Span[token - sequence.CachedTokens]));
        var hidden_RD = Run(_embedding_VD.index_select(0, ids_R), pass);
        var ordered_RD = layout.RowOfBatchRow() is { } rows ? hidden_RD.index_select(0, tensor(rows)) : hidden_RD;
        return ordered_RD.MoveToOuterDisposeScope();
    }

    /// <summary>Serving: scores of the next token for a few rows, without gradients. A row's bits do not depend on the others.</summary>
    public Tensor NextLogits(Tensor hidden_RD)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        return _head.Multiply(hidden_RD.contiguous(), blockRows: 0).MoveToOuterDisposeScope();
    }

    /// <summary>Scores of the next token for rows of the normed stream. Rows are padded to a multiple of four inside.</summary>
    /// <param name="hidden_RD">The rows.</param>
    /// <param name="adapter">The adapter in training; it may bring its own output head.</param>
    public Tensor Logits(Tensor hidden_RD, LoraAdapter? adapter = null)
    {
        using var scope = NewDisposeScope();
        var rows = hidden_RD.size(0);
        var padding = -rows & 3;
        if (padding > 0)
        {
            hidden_RD = cat([hidden_RD, hidden_RD.narrow(0, 0, 1).expand(padding, -1)], 0);
        }

        return nn.functional.linear(hidden_RD, adapter?.Find(AdapterPart.Saved, AdapterPlan.Head) ?? _head_VD).narrow(0, 0, rows).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rotary.Dispose();
        _store.Dispose();
    }

    /// <summary>A weight by name.</summary>
    internal Tensor Parameter(string name) => _byName[name];

    /// <summary>The weight of the embedding or of the output head, which may be the same.</summary>
    internal Tensor Head(string module) => module == AdapterPlan.Head ? _head_VD : _embedding_VD;

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
