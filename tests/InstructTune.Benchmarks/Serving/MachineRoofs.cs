using System.Runtime.Intrinsics;
using InstructTune.Kernels;

namespace InstructTune.Benchmarks.Serving;

/// <summary>What this machine can do at most, measured: bytes read from memory and float32 products.</summary>
/// <param name="BytesPerSecond">Reading, all threads.</param>
/// <param name="FlopsPerSecond">Fused multiply-adds count two.</param>
internal sealed record MachineRoofs(double BytesPerSecond, double FlopsPerSecond)
{
    private const long ReadBytes = 1L << 29;
    private const int Products = 20_000_000;

    public static MachineRoofs Measure(Team team)
    {
        using var memory = new AlignedBuffer<float>(ReadBytes / sizeof(float));
        var sums = new double[team.Size];
        var read = Enumerable.Range(0, 7).Min(_ => Rounds.Time(() => team.Run(member => sums[member] = Read(memory, member, team.Size))));
        var multiply = Enumerable.Range(0, 5).Min(_ => Rounds.Time(() => team.Run(member => sums[member] = Multiply())));
        return new MachineRoofs(ReadBytes / read, (double)team.Size * Products * 10 * 8 * 2 / multiply);
    }

    private static unsafe double Read(AlignedBuffer<float> memory, int member, int members)
    {
        var count = memory.Length / members;
        var start = memory.Pointer + (member * count);
        Vector256<float> a = default, b = default, c = default, d = default;
        for (long i = 0; i + 32 <= count; i += 32)
        {
            a += Vector256.Load(start + i);
            b += Vector256.Load(start + i + 8);
            c += Vector256.Load(start + i + 16);
            d += Vector256.Load(start + i + 24);
        }

        return Vector256.Sum(a + b + c + d);
    }

    private static double Multiply()
    {
        var x = Vector256.Create(0.999f);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x;
        for (var n = 0; n < Products; n++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, x);
            b = Vector256.FusedMultiplyAdd(b, x, x);
            c = Vector256.FusedMultiplyAdd(c, x, x);
            d = Vector256.FusedMultiplyAdd(d, x, x);
            e = Vector256.FusedMultiplyAdd(e, x, x);
            f = Vector256.FusedMultiplyAdd(f, x, x);
            g = Vector256.FusedMultiplyAdd(g, x, x);
            h = Vector256.FusedMultiplyAdd(h, x, x);
            i = Vector256.FusedMultiplyAdd(i, x, x);
            j = Vector256.FusedMultiplyAdd(j, x, x);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j);
    }
}
