using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

public sealed class GradientClipTests
{
    [Fact]
    public void A_norm_above_the_maximum_scales_all_gradients()
    {
        using var gradient = tensor(new[] { 3.0, 4.0 });
        Assert.Equal(5, GradientClip.Apply([gradient], maxNorm: 1), 1e-12);
        Assert.Equal([0.599999880000024, 0.799999840000032], gradient.data<double>().ToArray());
    }

    [Fact]
    public void A_smaller_norm_changes_nothing()
    {
        using var a = tensor(new[] { 0.3f });
        using var b = tensor(new[] { 0.4f });
        Assert.Equal(0.5, GradientClip.Apply([a, b], maxNorm: 1), 1e-6);
        Assert.Equal(0.3f, a.item<float>());
    }

    [Fact]
    public void No_maximum_means_no_clipping()
    {
        using var gradient = tensor(new[] { 30f, 40f });
        Assert.Equal(50, GradientClip.Apply([gradient], maxNorm: null), 1e-4);
        Assert.Equal([30f, 40f], gradient.data<float>().ToArray());
    }

    [Fact]
    public void A_gradient_that_is_no_number_shows_in_the_norm()
    {
        using var gradient = tensor(new[] { 1f, float.NaN });
        Assert.True(double.IsNaN(GradientClip.Apply([gradient], maxNorm: 1)));
    }
}
