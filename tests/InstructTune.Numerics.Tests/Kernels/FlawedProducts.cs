using System.Runtime.Intrinsics;
using InstructTune.Kernels;

namespace InstructTune.Numerics.Tests.Kernels;

/// <summary>Something that a processor, or who reads its manual, may get wrong.</summary>
internal interface IFlaw
{
    static abstract Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right, bool isSmall);
}

internal readonly struct FlawedProducts<TFlaw> : ICodeProducts
    where TFlaw : struct, IFlaw
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right) => TFlaw.Add(sums, left, right, isSmall: false);

    public static Vector256<int> AddSmall(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right) => TFlaw.Add(sums, left, right, isSmall: true);

    public static Vector256<int> Widen(Vector256<int> sums) => sums;
}

internal readonly struct TakesLeftAsSigned : IFlaw
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right, bool isSmall) =>
        PortableProducts.Add(sums, Vector256.Min(left, Vector256.Create((byte)127)), right);
}

internal readonly struct TakesRightAsUnsigned : IFlaw
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right, bool isSmall) =>
        PortableProducts.Add(sums, left, Vector256.Abs(right));
}

/// <summary>As the instruction beside it does, to sixteen bits.</summary>
internal readonly struct Saturates : IFlaw
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right, bool isSmall) =>
        sums + Vector256.Clamp(PortableProducts.Add(default, left, right), Vector256.Create((int)short.MinValue), Vector256.Create((int)short.MaxValue));
}

internal readonly struct ForgetsSums : IFlaw
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right, bool isSmall) =>
        PortableProducts.Add(default, left, right);
}

internal readonly struct SwapsOutputs : IFlaw
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right, bool isSmall) =>
        sums + Vector256.Shuffle(PortableProducts.Add(default, left, right), Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
}

internal readonly struct SmallAreSigned : IFlaw
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right, bool isSmall) =>
        PortableProducts.Add(sums, isSmall ? left & Vector256.Create((byte)7) : left, right);
}
