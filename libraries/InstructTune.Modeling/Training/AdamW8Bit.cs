using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Quantization;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// AdamW whose moments are kept in blocks of eight-bit codes between steps, as bitsandbytes' AdamW8bit: 2 bytes of state for each weight in place
/// of 8. The step itself is float32. Tensors of fewer than 4,096 elements keep float32 moments.
/// </summary>
internal sealed unsafe class AdamW8Bit : Optimizer
{
    /// <summary>Elements from which moments are coded.</summary>
    public const int LeastCodedElements = 4096;

    private const int BlocksOfATask = 64;

    private readonly AdamW8BitSettings _settings;
    private readonly Levels _signed;
    private readonly Levels _unsigned;
    private readonly Slot[] _slots;

    public AdamW8Bit(IReadOnlyList<TrainedWeight> weights, AdamW8BitSettings settings)
        : base(settings)
    {
        _settings = settings;
        _signed = new Levels([.. settings.SignedMap ?? DynamicMap.Signed.ToArray()]);
        _unsigned = new Levels([.. settings.UnsignedMap ?? DynamicMap.Unsigned.ToArray()]);
        _slots = [.. weights.Select(NewSlot)];
    }

    public override IReadOnlyList<NamedTensor> Moments() => [.. _slots.SelectMany(slot => slot.Mean.Tensors.Concat(slot.Square.Tensors))];

    private protected override void Update(double rate)
    {
        var (correction1, correction2) = (1 - Math.Pow(_settings.Beta1, StepCount), Math.Sqrt(1 - Math.Pow(_settings.Beta2, StepCount)));
        foreach (var slot in _slots)
        {
            if (slot.Weight.Value.grad is { } gradient)
            {
                using var scope = NewDisposeScope();
                var weightRate = rate * slot.Weight.RateFactor;
                var step = new Formula(
                    (float)_settings.Beta1, (float)_settings.Beta2, (float)(-weightRate * correction2 / correction1), (float)(_settings.Epsilon * correction2),
                    (float)(1 - (weightRate * DecayOf(slot.Weight))));
                Apply(slot, gradient.contiguous(), step);
            }
        }
    }

    private void Apply(Slot slot, Tensor gradient, Formula step)
    {
        var count = slot.Weight.Value.numel();
        var tasks = (int)((count + (BlocksOfATask * EightBitBlocks.BlockSize) - 1) / (BlocksOfATask * EightBitBlocks.BlockSize));
        float* weights = Pointer<float>(slot.Weight.Value), gradients = Pointer<float>(gradient);
        TorchTeam.For(tasks, task =>
        {
            Span<float> mean = stackalloc float[EightBitBlocks.BlockSize], square = stackalloc float[EightBitBlocks.BlockSize];
            for (var block = task * BlocksOfATask; block < (task + 1) * BlocksOfATask && (long)block * EightBitBlocks.BlockSize < count; block++)
            {
                var start = (long)block * EightBitBlocks.BlockSize;
                var length = (int)Math.Min(EightBitBlocks.BlockSize, count - start);
                slot.Mean.Read(block, mean[..length]);
                slot.Square.Read(block, square[..length]);
                step.Apply(new Span<float>(weights + start, length), new ReadOnlySpan<float>(gradients + start, length), mean, square);
                slot.Mean.Write(block, mean[..length]);
                slot.Square.Write(block, square[..length]);
            }
        });
    }

    private Slot NewSlot(TrainedWeight weight)
    {
        var isCoded = weight.Value.numel() >= LeastCodedElements;
        return new Slot(
            weight, new Moment(weight, "exp_avg", isCoded ? _signed : null), new Moment(weight, "exp_avg_sq", isCoded ? _unsigned : null));
    }

    // The memory of a tensor is libtorch's and does not move; the optimizer holds the tensor.
    private static T* Pointer<T>(Tensor tensor)
        where T : unmanaged =>
        (T*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    private sealed record Slot(TrainedWeight Weight, Moment Mean, Moment Square);

    private readonly record struct Formula(float Beta1, float Beta2, float Size, float Epsilon, float Kept)
    {
        // The order of operations is that of bitsandbytes: the decay follows the update.
        public void Apply(Span<float> weights, ReadOnlySpan<float> gradients, Span<float> mean, Span<float> square)
        {
            var i = 0;
            for (; i + Vector256<float>.Count <= weights.Length; i += Vector256<float>.Count)
            {
                var gradient = Vector256.Create(gradients[i..]);
                var m = (Vector256.Create(mean[i..]) * Beta1) + ((1 - Beta1) * gradient);
                var v = (Vector256.Create(square[i..]) * Beta2) + ((1 - Beta2) * gradient * gradient);
                m.CopyTo(mean[i..]);
                v.CopyTo(square[i..]);
                ((Vector256.Create(weights[i..]) + (Size * (m / (Vector256.Sqrt(v) + Vector256.Create(Epsilon))))) * Kept).CopyTo(weights[i..]);
            }

            for (; i < weights.Length; i++)
            {
                var gradient = gradients[i];
                mean[i] = (mean[i] * Beta1) + ((1 - Beta1) * gradient);
                square[i] = (square[i] * Beta2) + ((1 - Beta2) * gradient * gradient);
                weights[i] = (weights[i] + (Size * (mean[i] / (MathF.Sqrt(square[i]) + Epsilon)))) * Kept;
            }
        }
    }

    /// <summary>A map of levels with the way from values to them.</summary>
    private sealed class Levels(float[] map)
    {
        public float[] Map => map;

        public LevelSearch Search { get; } = new(map);
    }

    /// <summary>One moment of one weight: codes and scales, or float32 where there is no map.</summary>
    private sealed class Moment
    {
        private readonly Levels? _levels;
        private readonly Tensor _values;
        private readonly Tensor? _scales;
        private readonly string _name;

        public Moment(TrainedWeight weight, string name, Levels? levels)
        {
            (_levels, _name) = (levels, $"{weight.Name}.{name}");
            if (levels is null)
            {
                _values = Zeros(weight.Value);
                return;
            }

            var count = weight.Value.numel();
            var zero = (byte)Array.FindIndex(levels.Map, level => level == 0);
            _values = full(count, zero, ScalarType.Byte).DetachFromDisposeScope();
            _scales = zeros((count + EightBitBlocks.BlockSize - 1) / EightBitBlocks.BlockSize, ScalarType.Float32).DetachFromDisposeScope();
        }

        public IEnumerable<NamedTensor> Tensors =>
            _scales is null ? [new(_name, _values)] : [new(_name + ".codes", _values), new(_name + ".absmax", _scales)];

        public void Read(int block, Span<float> values)
        {
            var start = (long)block * EightBitBlocks.BlockSize;
            if (_levels is null)
            {
                new ReadOnlySpan<float>(Pointer<float>(_values) + start, values.Length).CopyTo(values);
                return;
            }

            EightBitBlocks.Dequantize(
                new ReadOnlySpan<byte>(Pointer<byte>(_values) + start, values.Length), new ReadOnlySpan<float>(Pointer<float>(_scales!) + block, 1), _levels.Map, values);
        }

        public void Write(int block, ReadOnlySpan<float> values)
        {
            var start = (long)block * EightBitBlocks.BlockSize;
            if (_levels is null)
            {
                values.CopyTo(new Span<float>(Pointer<float>(_values) + start, values.Length));
                return;
            }

            EightBitBlocks.Quantize(
                values, _levels.Search, new Span<byte>(Pointer<byte>(_values) + start, values.Length), new Span<float>(Pointer<float>(_scales!) + block, 1));
        }
    }
}
