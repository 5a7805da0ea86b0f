using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests;

/// <summary>Comparisons of tensors with reference outputs, recorded for the table of <c>eng/run parity</c>.</summary>
internal static class Parity
{
    /// <summary>Requires that no element differs by more than the tolerance.</summary>
    public static void Within(string family, string name, Tensor actual, Tensor expected, double tolerance)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        Within(family, name, (actual.detach().to(ScalarType.Float32) - expected).abs().max().item<float>(), tolerance);
    }

    /// <summary>Requires that the difference, as a vector, is at most this share of the reference's length.</summary>
    public static void WithinShare(string family, string name, Tensor actual, Tensor expected, double tolerance)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        var wide = expected.to(ScalarType.Float32);
        Within(family, name, (actual.detach().to(ScalarType.Float32) - wide).norm().item<float>() / (wide.norm().item<float>() + 1e-12), tolerance);
    }

    public static void Within(string family, string name, double error, double tolerance) =>
        Assert.True(ParityLog.IsWithin(family, name, error, tolerance), $"{family}: {name}: {error} is above {tolerance}");

    /// <summary>Requires equal bits.</summary>
    public static void Equal(string family, string name, Tensor actual, Tensor expected)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.dtype, actual.dtype);
        var differing = actual.detach().ne(expected).sum().item<long>();
        Assert.True(ParityLog.IsEqual(family, name, differing == 0), $"{family}: {name}: {differing} of {expected.numel()} elements differ");
    }
}
