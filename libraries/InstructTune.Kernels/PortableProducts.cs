using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>The step in plain C#: for processors without AVX2, and the oracle of the others.</summary>
internal readonly unsafe struct PortableProducts : ICodeProducts
{
    private const int Inputs = 4;

    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right)
    {
        var totals = (int*)&sums;
        var l = (byte*)&left;
        var r = (sbyte*)&right;
        for (var i = 0; i < Vector256<sbyte>.Count; i++)
        {
            totals[i / Inputs] += l[i] * r[i];
        }

        return sums;
    }

    public static Vector256<int> AddSmall(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right) => Add(sums, left, right);

    public static Vector256<int> Widen(Vector256<int> sums) => sums;
}
