// Shape letters in this file:
//   A = adapters * R columns   P adapters   I inputs   O outputs

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>A and B of every adapter on one module, stacked; B transposed and scaled. Where an adapter is DoRA, the factor of each output too.</summary>
internal sealed class AdapterSlab(Tensor a_AI, Tensor b_AO) : IDisposable
{
    private readonly HashSet<int> _withRatio = [];
    private Tensor? _ratio_PO;

    public Tensor A_AI { get; } = a_AI;

    public Tensor B_AO { get; } = b_AO;

    public RowSpan RowsOfA { get; } = RowSpan.Of(a_AI);

    public RowSpan RowsOfB { get; } = RowSpan.Of(b_AO);

    /// <summary>The factors of a slot, or null for one that leaves the base's product as it is.</summary>
    public Tensor? Ratio(int slot) => _withRatio.Contains(slot) ? _ratio_PO!.select(0, slot) : null;

    public void SetRatio(int slot, int slots, Tensor ratio_O)
    {
        _ratio_PO ??= ones([slots, B_AO.size(1)], ScalarType.Float32).DetachFromDisposeScope();
        using var target = _ratio_PO.select(0, slot);
        target.copy_(ratio_O);
        _withRatio.Add(slot);
    }

    public void ClearRatio(int slot) => _withRatio.Remove(slot);

    public void Dispose()
    {
        A_AI.Dispose();
        B_AO.Dispose();
        _ratio_PO?.Dispose();
    }
}
