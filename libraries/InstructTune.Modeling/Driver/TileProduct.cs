using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// Products of matrices that stay in the cache: c (+)= a b, where a may lie in either order. Tiles of 6 x 16 results fill the registers, one of 4 x 16 takes
/// most of what is left; each result is one sum in ascending order.
/// </summary>
internal static unsafe class TileProduct
{
    /// <summary>Columns of b and c are multiples of this.</summary>
    public const int Columns = 16;

    private const int Rows = 6;
    private const int FewerRows = 4;
    private const int Lanes = 8;

    /// <param name="a">Element (m, k) is at m * <paramref name="strideM"/> + k * <paramref name="strideK"/>.</param>
    /// <param name="strideM">From row to row of a.</param>
    /// <param name="strideK">From column to column of a.</param>
    /// <param name="b">Rows of n, <paramref name="strideB"/> apart.</param>
    /// <param name="strideB">From row to row of b.</param>
    /// <param name="c">Rows of n, <paramref name="strideC"/> apart.</param>
    /// <param name="strideC">From row to row of c.</param>
    /// <param name="size">Rows, columns and terms.</param>
    /// <param name="adds">Whether to add to c.</param>
    public static void Multiply(
        float* a, long strideM, long strideK, float* b, long strideB, float* c, long strideC, (int M, int N, int K) size, bool adds)
    {
        for (var n = 0; n < size.N; n += Columns)
        {
            var m = 0;
            for (; m + Rows <= size.M; m += Rows)
            {
                Tile(a + (m * strideM), strideM, strideK, b + n, strideB, c + (m * strideC) + n, strideC, size.K, adds);
            }

            if (m + FewerRows <= size.M)
            {
                SmallTile(a + (m * strideM), strideM, strideK, b + n, strideB, c + (m * strideC) + n, strideC, size.K, adds);
                m += FewerRows;
            }

            for (; m < size.M; m++)
            {
                Row(a + (m * strideM), strideK, b + n, strideB, c + (m * strideC) + n, size.K, adds);
            }
        }
    }

    // Compiled once and in full: by default a loop of this weight first runs in versions that only look how it is used.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(float* a, long strideM, long strideK, float* b, long strideB, float* c, long strideC, int terms, bool adds)
    {
        Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        Vector256<float> c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        float* a3 = a + (3 * strideM);
        for (var k = 0; k < terms; k++)
        {
            var (b0, b1) = (Vector256.Load(b), Vector256.Load(b + Lanes));
            var x = Vector256.Create(*a);
            c00 = Vector256.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector256.FusedMultiplyAdd(x, b1, c01);
            x = Vector256.Create(a[strideM]);
            c10 = Vector256.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector256.FusedMultiplyAdd(x, b1, c11);
            x = Vector256.Create(a[2 * strideM]);
            c20 = Vector256.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector256.FusedMultiplyAdd(x, b1, c21);
            x = Vector256.Create(*a3);
            c30 = Vector256.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector256.FusedMultiplyAdd(x, b1, c31);
            x = Vector256.Create(a3[strideM]);
            c40 = Vector256.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector256.FusedMultiplyAdd(x, b1, c41);
            x = Vector256.Create(a3[2 * strideM]);
            c50 = Vector256.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector256.FusedMultiplyAdd(x, b1, c51);
            a += strideK;
            a3 += strideK;
            b += strideB;
        }

        Put(c, c00, c01, adds);
        Put(c + strideC, c10, c11, adds);
        Put(c + (2 * strideC), c20, c21, adds);
        Put(c + (3 * strideC), c30, c31, adds);
        Put(c + (4 * strideC), c40, c41, adds);
        Put(c + (5 * strideC), c50, c51, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SmallTile(float* a, long strideM, long strideK, float* b, long strideB, float* c, long strideC, int terms, bool adds)
    {
        Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        float* a3 = a + (3 * strideM);
        for (var k = 0; k < terms; k++)
        {
            var (b0, b1) = (Vector256.Load(b), Vector256.Load(b + Lanes));
            var x = Vector256.Create(*a);
            c00 = Vector256.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector256.FusedMultiplyAdd(x, b1, c01);
            x = Vector256.Create(a[strideM]);
            c10 = Vector256.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector256.FusedMultiplyAdd(x, b1, c11);
            x = Vector256.Create(a[2 * strideM]);
            c20 = Vector256.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector256.FusedMultiplyAdd(x, b1, c21);
            x = Vector256.Create(*a3);
            c30 = Vector256.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector256.FusedMultiplyAdd(x, b1, c31);
            a += strideK;
            a3 += strideK;
            b += strideB;
        }

        Put(c, c00, c01, adds);
        Put(c + strideC, c10, c11, adds);
        Put(c + (2 * strideC), c20, c21, adds);
        Put(c + (3 * strideC), c30, c31, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* a, long strideK, float* b, long strideB, float* c, int terms, bool adds)
    {
        Vector256<float> c0 = default, c1 = default;
        for (var k = 0; k < terms; k++)
        {
            var x = Vector256.Create(*a);
            c0 = Vector256.FusedMultiplyAdd(x, Vector256.Load(b), c0);
            c1 = Vector256.FusedMultiplyAdd(x, Vector256.Load(b + Lanes), c1);
            a += strideK;
            b += strideB;
        }

        Put(c, c0, c1, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, Vector256<float> low, Vector256<float> high, bool adds)
    {
        (adds ? Vector256.Load(c) + low : low).Store(c);
        (adds ? Vector256.Load(c + Lanes) + high : high).Store(c + Lanes);
    }
}
