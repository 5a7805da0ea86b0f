using TorchSharp;

namespace InstructTune.Numerics.Tests;

public sealed class LibtorchTests
{
    [Fact]
    public void A_build_alone_gives_a_running_libtorch()
    {
        using var ones_BD = torch.ones(2, 3);
        using var sum = ones_BD.sum();
        Assert.Equal(6f, sum.item<float>());
    }
}
