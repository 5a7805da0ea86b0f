// Shape letters in this file:
//   V vocabulary   D model width   R rank   M rows

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>A LoRA adapter in float32: its tensors under PEFT's names, and the same by module for the forward pass.</summary>
public sealed class LoraAdapter : IDisposable
{
    private readonly List<(PlannedTensor Plan, Tensor Value)> _tensors;
    private readonly Dictionary<string, LoraLinear> _modules;

    internal LoraAdapter(LoraConfig config, List<(PlannedTensor Plan, Tensor Value)> tensors)
    {
        Config = config;
        _tensors = tensors;
        foreach (var (_, value) in tensors)
        {
            value.DetachFromDisposeScope();
        }

        _modules = tensors.Where(t => t.Plan.Part == AdapterPart.A).Select(t => Module(t.Plan.Module)).ToDictionary(m => m.Path, StringComparer.Ordinal);
    }

    /// <summary>How it was made.</summary>
    public LoraConfig Config { get; }

    /// <summary>Adapted linear layers by path.</summary>
    public IReadOnlyDictionary<string, LoraLinear> Modules => _modules;

    /// <summary>What is trained, under the names that PEFT's files use, ordered by name.</summary>
    public IReadOnlyList<NamedTensor> Parameters => [.. Named(t => t.Part != AdapterPart.EmbeddingBase)];

    /// <summary>Everything that goes into the file.</summary>
    public IReadOnlyList<NamedTensor> Tensors => [.. Named(_ => true)];

    /// <summary>Number of trained weights.</summary>
    public long ParameterCount => Parameters.Sum(p => p.Value.numel());

    /// <summary>A new adapter that changes nothing yet; equal seeds give equal bits.</summary>
    /// <exception cref="ModelFormatException">A target names no module of the model, or asks for what is not supported.</exception>
    public static LoraAdapter Create(LlamaModel model, LoraConfig config, StepSeed seed) => LoraInitialization.Create(model, config, seed);

    /// <summary>
    /// The same tensors as an ordinary adapter, whatever its start was: what a PiSSA adapter is over the base that it left. Not to be disposed beside this one.
    /// </summary>
    public LoraAdapter AsOrdinary() => Config.Start == LoraStart.Uniform ? this : new LoraAdapter(Config with { Start = LoraStart.Uniform }, _tensors);

    /// <summary>A copy of the values as they are now, without gradients. The caller disposes it.</summary>
    public LoraAdapter Copy()
    {
        using var frozen = no_grad();
        return new LoraAdapter(Config, [.. _tensors.Select(tensor => (tensor.Plan, tensor.Value.detach().clone()))]);
    }

    /// <summary>Makes the trained tensors leaves with gradients, or freezes them and drops their gradients.</summary>
    public void SetTrainable(bool trainable)
    {
        foreach (var (_, value) in Parameters)
        {
            value.requires_grad_(trainable);
            if (!trainable)
            {
                value.grad = null;
            }
        }
    }

    /// <summary>Whether any output of the model can differ from the base's.</summary>
    public bool HasEffect()
    {
        using var scope = NewDisposeScope();
        return _tensors.Any(t => t.Plan.Part switch
        {
            AdapterPart.A or AdapterPart.EmbeddingB or AdapterPart.EmbeddingBase => false,
            AdapterPart.B or AdapterPart.BiasOfB or AdapterPart.EmbeddingA => t.Value.count_nonzero().item<long>() > 0,
            _ => true,
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, value) in _tensors)
        {
            value.Dispose();
        }
    }

    /// <summary>Biases that replace the base's, by module.</summary>
    internal IEnumerable<(string Module, Tensor Value_O)> Biases =>
        _tensors.Where(t => t.Plan.Part == AdapterPart.BaseBias).Select(t => (t.Plan.Module, t.Value));

    internal Tensor? Find(AdapterPart part, string module) => _tensors.Find(t => t.Plan.Part == part && t.Plan.Module == module).Value;

    /// <summary>Whether a layer's own product cannot be computed before and apart from this adapter.</summary>
    internal bool ChangesBase(string path) => Modules.GetValueOrDefault(path) is { IsAdditive: false } || Find(AdapterPart.BaseBias, path) is not null;

    /// <summary>Whether the embedding is another with this adapter.</summary>
    internal bool ChangesEmbedding =>
        Find(AdapterPart.Saved, AdapterPlan.Embedding) is not null || Find(AdapterPart.EmbeddingA, AdapterPlan.Embedding) is not null
        || Find(AdapterPart.TokenRows, AdapterPlan.Embedding) is not null;

    /// <summary>Whether the output head is another with this adapter.</summary>
    internal bool ChangesHead =>
        Find(AdapterPart.Saved, AdapterPlan.Head) is not null || Modules.ContainsKey(AdapterPlan.Head) || Find(AdapterPart.BaseBias, AdapterPlan.Head) is not null;

    /// <summary>A linear layer with what the adapter does to it.</summary>
    internal Tensor Forward(Projection module, Tensor x_MI, RowSeeds? dropout) =>
        Modules.GetValueOrDefault(module.Path)?.Forward(module, x_MI, dropout)
        ?? module.Weight.Linear(x_MI, Find(AdapterPart.BaseBias, module.Path) ?? module.Bias_O);

    /// <summary>The embedding rows of tokens, with what the adapter does to the embedding.</summary>
    internal Tensor Embed(Tensor embedding_VD, Tensor ids_M)
    {
        var x_MD = (Find(AdapterPart.Saved, AdapterPlan.Embedding) ?? embedding_VD).index_select(0, ids_M).to_type(ScalarType.Float32);
        if (Find(AdapterPart.EmbeddingA, AdapterPlan.Embedding) is { } a_RV)
        {
            var h_MR = a_RV.t().index_select(0, ids_M);
            x_MD = x_MD.addmm(h_MR, Find(AdapterPart.EmbeddingB, AdapterPlan.Embedding)!.t(), 1, (float)Config.ScaleOf(AdapterPlan.Embedding));
        }

        if (Find(AdapterPart.TokenRows, AdapterPlan.Embedding) is { } rows)
        {
            for (var i = 0; i < Config.TrainableTokens.Count; i++)
            {
                x_MD = where(ids_M.eq(Config.TrainableTokens[i]).unsqueeze(1), rows[i], x_MD);
            }
        }

        return x_MD;
    }

    /// <summary>The scores of rows, with what the adapter does to the output head.</summary>
    internal Tensor Head(Projection head, Tensor hidden_MD, RowSeeds? dropout) =>
        Find(AdapterPart.Saved, AdapterPlan.Head) is { } saved_VD ? nn.functional.linear(hidden_MD, saved_VD) : Forward(head, hidden_MD, dropout);

    private IEnumerable<NamedTensor> Named(Func<PlannedTensor, bool> filter) =>
        _tensors.Where(t => filter(t.Plan)).Select(t => new NamedTensor(t.Plan.Key, t.Value));

    private LoraLinear Module(string path) => new(
        path, Find(AdapterPart.A, path)!, Find(AdapterPart.B, path)!, Config.ScaleOf(path), Config.Dropout)
    {
        BiasOfB_O = Find(AdapterPart.BiasOfB, path),
        Magnitude_O = Find(AdapterPart.Magnitude, path),
        BaseBias_O = Find(AdapterPart.BaseBias, path),
    };
}
