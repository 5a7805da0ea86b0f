// Shape letters in this file:
//   M rows   O outputs   I inputs

using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>A matrix in bfloat16. Inputs and sums of its products are float32: processors without such units gain nothing by rounding them too.</summary>
internal sealed class Bf16Matrix : PackedMatrix
{
    private readonly Tensor _weight_OI;
    private readonly unsafe ushort* _start;

    public unsafe Bf16Matrix(Tensor weight_OI)
        : base((int)weight_OI.size(0), (int)weight_OI.size(1))
    {
        _weight_OI = weight_OI;
        using var first_1I = weight_OI.narrow(0, 0, 1);
        _start = (ushort*)RowSpan.Pointer(first_1I);
    }

    public override long SizeBytes => _weight_OI.numel() * sizeof(ushort);

    public override void Write(Tensor weight_OI) => _weight_OI.copy_(weight_OI);

    public override unsafe void Widen(int firstOutput, int count, float* target)
    {
        var source = _start + ((long)firstOutput * Inputs);
        var total = (long)count * Inputs;
        long i = 0;
        for (; i <= total - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(source + i));
            (low << 16).AsSingle().Store(target + i);
            (high << 16).AsSingle().Store(target + i + Vector256<uint>.Count);
        }

        for (; i < total; i++)
        {
            target[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }
}
