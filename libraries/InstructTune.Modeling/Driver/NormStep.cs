// Shape letters in this file:
//   D width of what is normalised

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>A norm over rows with its weight, there and back.</summary>
internal sealed unsafe class NormStep(Tensor weight_D, double epsilon, Gradients gradients)
{
    private readonly float* _weight = RowSpan.Pointer(weight_D);

    public bool IsTrained => weight_D.requires_grad;

    public void Forward(RowSpan x, RowSpan y) => NormRows.Forward(x, _weight, (float)epsilon, y);

    /// <summary>dx (+)= the gradient through the norm. dx may be dy.</summary>
    /// <param name="dy">Gradient of the result.</param>
    /// <param name="x">What was normalised.</param>
    /// <param name="dx">Gradient of x.</param>
    /// <param name="adds">Whether to add to it.</param>
    /// <param name="sums">Memory for <see cref="NormRows.BlocksOf"/> rows.</param>
    public void Backward(RowSpan dy, RowSpan x, RowSpan dx, bool adds, RowSpan sums)
    {
        var first = IsTrained ? sums.Row(0) : null;
        NormRows.Backward(dy, x, _weight, (float)epsilon, dx, adds, first);
        if (IsTrained)
        {
            var (gradient_D, addsGradient) = gradients.Of(weight_D);
            NormRows.AddSums(first, NormRows.BlocksOf(x.Rows), x.Columns, RowSpan.Pointer(gradient_D), addsGradient);
        }
    }
}
