using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>
/// The step in which codes meet activations, on one kind of processor. Matrices of codes are written once over it, and compiled for each. All
/// kinds are exact, so all give the same bits.
/// </summary>
internal interface ICodeProducts
{
    /// <summary>Adds to each of eight sums the products of its four bytes on the left, of 128 at most, and on the right, from -127 to 127.</summary>
    static abstract Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right);

    /// <summary>
    /// The same for bytes of 15 at most on the left, eight times at most. The sums may be in a form of their own, which begins as zero and ends with
    /// <see cref="Widen"/>.
    /// </summary>
    static abstract Vector256<int> AddSmall(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right);

    /// <summary>The sums that <see cref="AddSmall"/> made.</summary>
    static abstract Vector256<int> Widen(Vector256<int> sums);
}
