// Shape letters in this file:
//   R rows   D model width

using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>Embedding and layers of a micro-batch. Nothing is kept of layers below the first that is trained, nor does the way back go there.</summary>
internal sealed class LayerStack : IDisposable
{
    private readonly MicroBatchContext _context;
    private readonly EmbeddingStep _embedding;
    private readonly ILayerStep[] _layers;
    private readonly Tensor[] _inputs;
    private readonly AttentionStep _attention;
    private readonly bool _recomputes;
    private readonly int _firstTrained;

    public LayerStack(LlamaModel model, MicroBatchContext context, bool recomputes)
    {
        (_context, _recomputes) = (context, recomputes);
        _embedding = new EmbeddingStep(model.Embedding_VD, context.Adapter, context.Gradients);
        _attention = new AttentionStep(context.Config, context.Places, context.Working);
        var pass = new Lazy<TrainingPass>(() => new TrainingPass(context.Config, context.Places.Batch, context.Places.Tokens, context.Places.Rotation, fused: true)
        {
            Segments = context.Places.Segments, Adapter = context.Adapter, Dropout = context.Dropout,
        });
        _layers = [.. model.Blocks.Select(block => NeedsGraph(block, context.Adapter)
            ? (ILayerStep)new GraphLayer(block, pass.Value)
            : new FusedLayer(context, block.Parts, _attention))];
        _inputs = new Tensor[_layers.Length];
        _firstTrained = _embedding.IsTrained ? -1 : Array.FindIndex(_layers, layer => layer.IsTrained) is >= 0 and var first ? first : _layers.Length;
    }

    /// <summary>The stream after the last layer.</summary>
    public Tensor Forward(Tensor ids_R, EmbeddingNoise? noise, StepPlace place)
    {
        var (rows, width) = (_context.Places.Rows, _context.Config.ModelWidth);
        var x_RD = _context.Arena.Take(rows, width);
        _embedding.Forward(ids_R, x_RD);
        if (noise is not null)
        {
            using var noisy_RD = noise.Add(x_RD, _context.Places.Tokens, place, _context.Places.Segments);
            x_RD.copy_(noisy_RD);
        }

        // Two that take turns where nothing is kept.
        var other_RD = _firstTrained > 0 ? _context.Arena.Take(rows, width) : null;
        for (var i = 0; i < _layers.Length; i++)
        {
            var keepsInput = i >= _firstTrained;
            var next_RD = keepsInput ? _context.Arena.Take(rows, width) : other_RD!;
            _layers[i].Forward(x_RD, next_RD, keeps: keepsInput && !_recomputes);
            _inputs[i] = x_RD;
            (x_RD, other_RD) = (next_RD, keepsInput ? null : x_RD);
        }

        return x_RD;
    }

    /// <summary>From the gradient after the last layer, in place.</summary>
    public void Backward(Tensor ids_R, Tensor gradient_RD)
    {
        for (var i = _layers.Length - 1; i >= Math.Max(0, _firstTrained); i--)
        {
            _layers[i].Backward(_inputs[i], gradient_RD, goesOn: i > _firstTrained);
        }

        if (_embedding.IsTrained)
        {
            _embedding.Backward(ids_R, gradient_RD);
        }
    }

    public void Dispose() => _attention.Dispose();

    private static bool NeedsGraph(TransformerBlock block, LoraAdapter? adapter) =>
        adapter is not null && block.Groups.SelectMany(group => group.Parts).Any(part => adapter.ChangesBase(part.Path) || adapter.Modules.GetValueOrDefault(part.Path)?.BiasOfB_O is not null);
}
