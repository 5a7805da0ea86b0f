// Shape letters in this file:
//   R rows   D model width   V vocabulary

using InstructTune.Kernels;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>From tokens to the stream and back to the embedding, or to what an adapter does to it.</summary>
internal sealed class EmbeddingStep(Tensor embedding_VD, LoraAdapter? adapter, Gradients gradients)
{
    private readonly bool _isAdapted = adapter?.ChangesEmbedding == true;
    private Tensor? _graph_RD;

    public bool IsTrained => _isAdapted || embedding_VD.requires_grad;

    public void Forward(Tensor ids_R, Tensor x_RD)
    {
        using var scope = NewDisposeScope();
        if (!_isAdapted)
        {
            x_RD.copy_(embedding_VD.index_select(0, ids_R));
            return;
        }

        using var graph = enable_grad();
        _graph_RD = adapter!.Embed(embedding_VD, ids_R);
        using var frozen = no_grad();
        x_RD.copy_(_graph_RD);
        _graph_RD.MoveToOuterDisposeScope();
    }

    public void Backward(Tensor ids_R, Tensor gradient_RD)
    {
        if (_graph_RD is not null)
        {
            _graph_RD.backward([gradient_RD]);
        }
        else if (embedding_VD.requires_grad)
        {
            AddRows(ids_R, gradient_RD);
        }
    }

    // In the order of the rows, by one thread: tokens come more than once.
    private unsafe void AddRows(Tensor ids_R, Tensor gradient_RD)
    {
        var (value_VD, adds) = gradients.Of(embedding_VD);
        if (!adds)
        {
            value_VD.zero_();
        }

        var (from, into) = (RowSpan.Of(gradient_RD), RowSpan.Of(value_VD));
        var ids = ids_R.data<long>();
        for (var row = 0; row < from.Rows; row++)
        {
            RowMath.Add(from.Row(row), into.Row((int)ids[row]), from.Columns);
        }
    }
}
