using System.Collections.Concurrent;
using TorchSharp;

namespace InstructTune.Modeling.Numerics;

/// <summary>
/// Numbers as arguments of libtorch that are never collected. TorchSharp makes a native object of every number it is given and lets the
/// garbage collector free it as soon as its handle was read, which may be before libtorch reads the number: rare, and then an exception
/// or a wrong result. So does <c>x + y</c>, which is x + 1 * y. For code that runs in every step, over few different numbers.
/// </summary>
internal static class LivingScalar
{
    private static readonly ConcurrentDictionary<double, Scalar> s_scalars = new();

    /// <summary>The factor that TorchSharp puts beside every sum of two tensors.</summary>
    public static Scalar One { get; } = 1;

    /// <summary>The number.</summary>
    public static Scalar Of(double value) => s_scalars.GetOrAdd(value, static v => v);
}
