// Shape letters in this file:
//   P positions   R rows   H width of one head

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// Sines and cosines by position, grown as positions appear. Hugging Face layout: element i turns with element i + H/2. The first
/// half of the sines is stored negated, so that x * cos + roll(x, H/2) * sin is the rotation.
/// </summary>
internal sealed class RotaryTable : IDisposable
{
    private readonly LlamaConfig _config;
    private Tensor? _cos_PH;
    private Tensor? _sin_PH;
    private int _positions;
    private int _lengthTokens;

    private readonly Device _device;

    public RotaryTable(LlamaConfig config, Device? device = null)
    {
        (_config, _device) = (config, device ?? ModelBackend.Processor.Device);
    }

    /// <summary>Whether angles change as a sequence grows.</summary>
    public bool DependsOnLength => _config.Rotary.Kind == RotaryKind.Dynamic;

    /// <summary>Angles of positions 0 to count - 1, for sequences of that length. The caller owns the views.</summary>
    public Rotation Prefix(int count)
    {
        EnsureRoom(count, count);
        return new Rotation(_cos_PH!.narrow(0, 0, count).unsqueeze(1), _sin_PH!.narrow(0, 0, count).unsqueeze(1));
    }

    /// <summary>Angles of the given positions, row by row, for sequences that now have <paramref name="lengthTokens"/> tokens.</summary>
    public Rotation At(long[] positions, int lengthTokens)
    {
        EnsureRoom((int)positions.Max() + 1, lengthTokens);
        using var rows_R = tensor(positions, device: _device);
        using var cos_RH = _cos_PH!.index_select(0, rows_R);
        using var sin_RH = _sin_PH!.index_select(0, rows_R);
        return new Rotation(cos_RH.unsqueeze(1), sin_RH.unsqueeze(1));
    }

    public void Dispose()
    {
        _cos_PH?.Dispose();
        _sin_PH?.Dispose();
    }

    private void EnsureRoom(int positions, int lengthTokens)
    {
        // Only the dynamic rule looks at the length, and only beyond the original context.
        var length = DependsOnLength ? Math.Max(lengthTokens, _config.Rotary.OriginalContextTokens) : 0;
        if (positions <= _positions && length == _lengthTokens)
        {
            return;
        }

        var count = Math.Max(positions, Math.Max(64, length == _lengthTokens ? 2 * _positions : positions));
        var frequencies = RotaryFrequencies.Compute(_config.Rotary, _config.HeadWidth, length);
        var factor = RotaryFrequencies.AttentionFactor(_config.Rotary);
        var half = frequencies.Length;
        var cos = new float[count * 2 * half];
        var sin = new float[count * 2 * half];
        for (var p = 0; p < count; p++)
        {
            for (var i = 0; i < half; i++)
            {
                var angle = p * frequencies[i];
                var at = (p * 2 * half) + i;
                cos[at] = cos[at + half] = MathF.Cos(angle) * factor;
                sin[at + half] = MathF.Sin(angle) * factor;
                sin[at] = -sin[at + half];
            }
        }

        Dispose();
        _cos_PH = tensor(cos, [count, 2 * half], device: _device).DetachFromDisposeScope();
        _sin_PH = tensor(sin, [count, 2 * half], device: _device).DetachFromDisposeScope();
        (_positions, _lengthTokens) = (count, length);
    }
}

/// <summary>Angles ready to broadcast over heads: shape [rows or positions, 1, H].</summary>
internal readonly record struct Rotation(Tensor Cos_R1H, Tensor Sin_R1H)
{
    /// <summary>Rotates the last dimension of x, whose third last dimension runs with the rows of the angles.</summary>
    public Tensor Apply(Tensor x_RNH)
    {
        using var turned = x_RNH.roll(Cos_R1H.size(-1) / 2, -1);
        using var kept = x_RNH * Cos_R1H;
        return kept.addcmul(turned, Sin_R1H, LivingScalar.One);
    }
}
