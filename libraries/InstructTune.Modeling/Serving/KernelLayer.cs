using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>The weights of one transformer block.</summary>
internal sealed record KernelLayer : IDisposable
{
    public required AlignedBuffer<float> AttentionNorm { get; init; }

    public required KernelLinear Query { get; init; }

    public required KernelLinear Key { get; init; }

    public required KernelLinear Value { get; init; }

    /// <summary>Of each query head; null where heads have no norm.</summary>
    public AlignedBuffer<float>? QueryNorm { get; init; }

    public AlignedBuffer<float>? KeyNorm { get; init; }

    public required KernelLinear AttentionOutput { get; init; }

    public required AlignedBuffer<float> FeedForwardNorm { get; init; }

    public required KernelLinear Gate { get; init; }

    public required KernelLinear Up { get; init; }

    public required KernelLinear Down { get; init; }

    public IEnumerable<KernelLinear> Linears => [Query, Key, Value, AttentionOutput, Gate, Up, Down];

    public void Dispose()
    {
        foreach (var linear in Linears)
        {
            linear.Dispose();
        }

        AttentionNorm.Dispose();
        FeedForwardNorm.Dispose();
        QueryNorm?.Dispose();
        KeyNorm?.Dispose();
    }
}
