// Shape letters in this file:
//   O outputs   I inputs

using System.Runtime.Intrinsics;
using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Quantization;

/// <summary>
/// A matrix in NF4: blocks of 64 in row-major order, code for code what bitsandbytes writes; 0.516 bytes a weight with double quantisation, whose scales are
/// eight-bit codes themselves, or 0.5625. Its products read level * scale in float32.
/// </summary>
internal sealed class Nf4Matrix : PackedMatrix, IDisposable
{
    public const int BlockSize = 64;

    // A byte's two levels, so that one load gives both.
    private static readonly float[] s_pairs = [.. Enumerable.Range(0, 256).SelectMany(i => new[] { FourBitCode.Levels(FourBitKind.Nf4)[i >> 4], FourBitCode.Levels(FourBitKind.Nf4)[i & 15] })];

    private readonly Tensor _packed;
    private readonly unsafe byte* _codes;
    private readonly long _count;
    private NestedScales? _nested;
    private float[] _scales = [];

    public unsafe Nf4Matrix(int outputs, int inputs, bool nestsScales = true)
        : base(outputs, inputs)
    {
        NestsScales = nestsScales;
        _count = (long)outputs * inputs;
        _packed = empty([FourBitBlocks.PackedSize(_count)], ScalarType.Byte).DetachFromDisposeScope();
        _codes = (byte*)RowSpan.Pointer(_packed);
    }

    public override long SizeBytes => _packed.numel()
        + (_nested is { } nested ? nested.Codes.Length + (sizeof(float) * (nested.Absmax.Length + nested.Map.Length)) : sizeof(float) * _scales.Length);

    /// <summary>Whether the scales are quantised too.</summary>
    public bool NestsScales { get; }

    /// <summary>The codes, two a byte.</summary>
    public unsafe Span<byte> Packed => new(_codes, (int)_packed.numel());

    public override void Write(Tensor weight_OI)
    {
        using var scope = NewDisposeScope();
        var values = weight_OI.detach().to_type(ScalarType.Float32).contiguous();
        var absmax = new float[FourBitBlocks.BlockCount(_count, BlockSize)];
        FourBitBlocks.Quantize(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(values.bytes), BlockSize, FourBitKind.Nf4, Packed, absmax);
        _nested = NestsScales ? NestedScales.Of(absmax) : null;
        _scales = NestsScales ? [] : absmax;
    }

    /// <summary>Takes over codes and scales that were made elsewhere.</summary>
    public void Restore(ReadOnlySpan<byte> packed, float[] scales, NestedScales? nested)
    {
        packed.CopyTo(Packed);
        (_nested, _scales) = (nested, scales);
    }

    public override unsafe void Widen(int firstOutput, int count, float* target)
    {
        var at = (long)firstOutput * Inputs;
        var end = at + ((long)count * Inputs);
        fixed (float* pairs = s_pairs)
        {
            while (at < end)
            {
                var blockEnd = Math.Min(end, ((at / BlockSize) + 1) * BlockSize);
                WidenBlock(at, (int)(blockEnd - at), ScaleOf((int)(at / BlockSize)), pairs, target);
                target += blockEnd - at;
                at = blockEnd;
            }
        }
    }

    public void Dispose() => _packed.Dispose();

    private float ScaleOf(int block) => _nested is { } nested ? nested[block] : _scales[block];

    private unsafe void WidenBlock(long from, int count, float scale, float* pairs, float* target)
    {
        var i = 0;
        if ((from & 1) == 0)
        {
            var codes = _codes + (from / 2);
            var factor = Vector256.Create(scale);
            for (; i + 8 <= count; i += 8, codes += 4)
            {
                var levels = Vector256.Create(
                    ((ulong*)pairs)[codes[0]], ((ulong*)pairs)[codes[1]], ((ulong*)pairs)[codes[2]], ((ulong*)pairs)[codes[3]]).AsSingle();
                (levels * factor).Store(target + i);
            }
        }

        for (; i < count; i++)
        {
            var pair = _codes[(from + i) / 2];
            target[i] = pairs[(2 * pair) + (int)((from + i) & 1)] * scale;
        }
    }
}
