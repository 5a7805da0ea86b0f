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
    public void Backward(RowSpan dy, RowSpan x, RowSpan dx, bool adds, float[] scales)
    {
        if (!IsTrained)
        {
            NormRows.Backward(dy, x, _weight, (float)epsilon, dx, adds, scales);
            return;
        }

        NormRows.Scales(x, (float)epsilon, scales);
        var (gradient_D, addsGradient) = gradients.Of(weight_D);
        NormRows.WeightGradient(dy, x, scales, RowSpan.Pointer(gradient_D), addsGradient);
        NormRows.Backward(dy, x, _weight, (float)epsilon, dx, adds, scales);
    }
}
