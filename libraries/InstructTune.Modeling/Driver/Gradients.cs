using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// Memory of gradients, kept from step to step: a leaf whose gradient was taken away since gets the same block again, to be overwritten. Grouped
/// weights have one block, so that one product fills it.
/// </summary>
internal sealed class Gradients : IDisposable
{
    private readonly Dictionary<Tensor, Tensor> _blocks = new(ReferenceEqualityComparer.Instance);

    /// <summary>The gradient of a leaf, and whether something was added to it in this step before.</summary>
    public (Tensor Value, bool Adds) Of(Tensor leaf)
    {
        var block = Block(leaf, leaf.shape);
        return (block, !Attach(leaf, block));
    }

    /// <summary>The gradients of leaves of equal width as rows of one matrix. They are given and taken together.</summary>
    public (Tensor Value, bool Adds) Of(IReadOnlyList<Tensor> leaves)
    {
        if (leaves.Count == 1)
        {
            return Of(leaves[0]);
        }

        var block_OI = Block(leaves[0], leaves[0].dim() == 1 ? [leaves.Sum(leaf => leaf.size(0))] : [leaves.Sum(leaf => leaf.size(0)), leaves[0].size(1)]);
        long row = 0;
        var isNew = false;
        foreach (var leaf in leaves)
        {
            using var part = block_OI.narrow(0, row, leaf.size(0));
            isNew = Attach(leaf, part);
            row += leaf.size(0);
        }

        return (block_OI, !isNew);
    }

    public void Dispose()
    {
        foreach (var block in _blocks.Values)
        {
            block.Dispose();
        }

        _blocks.Clear();
    }

    // Whether the leaf had none.
    private static bool Attach(Tensor leaf, Tensor block)
    {
        using var present = leaf.grad;
        if (present is not null)
        {
            return false;
        }

        leaf.grad = block;
        return true;
    }

    private Tensor Block(Tensor leaf, long[] shape)
    {
        if (!_blocks.TryGetValue(leaf, out var block))
        {
            block = empty(shape, ScalarType.Float32).DetachFromDisposeScope();
            _blocks.Add(leaf, block);
        }

        return block;
    }
}
