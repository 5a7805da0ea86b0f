// Shape letters in this file:
//   R rows   D model width

using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>One layer of a micro-batch, there and back.</summary>
internal interface ILayerStep
{
    /// <summary>Whether any gradient is wanted in this layer.</summary>
    bool IsTrained { get; }

    /// <summary>Fills y from x and, where <paramref name="keeps"/> is set, keeps what the way back needs.</summary>
    void Forward(Tensor x_RD, Tensor y_RD, bool keeps);

    /// <summary>
    /// Turns the gradient of y into that of x, in place, and adds to the gradients of what is trained. What was not kept is computed again.
    /// </summary>
    /// <param name="x_RD">As in <see cref="Forward"/>.</param>
    /// <param name="gradient_RD">Of y.</param>
    /// <param name="goesOn">Whether anybody wants the gradient of x.</param>
    void Backward(Tensor x_RD, Tensor gradient_RD, bool goesOn);
}
