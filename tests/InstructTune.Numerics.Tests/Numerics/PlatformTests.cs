using InstructTune.Modeling.Numerics;

namespace InstructTune.Numerics.Tests.Numerics;

public sealed class PlatformTests
{
    [Fact]
    public void This_machine_is_accepted() => Platform.Require();

    [Theory]
    [InlineData("linux-arm64-glibc", true, false, true, "linux-arm64-glibc")]
    [InlineData("linux-x64-another C library", true, false, true, "glibc")]
    [InlineData("linux-x64-glibc", false, false, true, "AVX2")]
    [InlineData("linux-x64-glibc", true, true, true, "ICU")]
    [InlineData("linux-x64-glibc", true, false, false, "ICU")]
    public void What_cannot_compute_right_is_refused_in_one_sentence(string system, bool vectors, bool invariant, bool normalizes, string named)
    {
        var problem = Platform.Problem(system, vectors, invariant, normalizes);
        Assert.Contains(named, problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem!);
    }

    [Fact]
    public void The_fingerprint_names_what_bits_depend_on()
    {
        var facts = NumericsFingerprint.Current();
        Assert.Equal($"{TorchThreads.Count}", facts["threads"]);
        Assert.All(["libtorch", "torchsharp", "vector_instructions", "device", "random_scheme"], name => Assert.NotEmpty(facts[name]));
        Assert.Equal(NumericsFingerprint.ToText(facts), NumericsFingerprint.ToText(NumericsFingerprint.Current()));
    }

    [Fact]
    public void The_thread_count_is_pinned_once()
    {
        TorchThreads.Pin(TorchThreads.Count);
        var refusal = Assert.Throws<InvalidOperationException>(() => TorchThreads.Pin(TorchThreads.Count + 1));
        Assert.Contains($"{TorchThreads.Count}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kept_tensor_is_noticed()
    {
        var budget = TensorBudget.Start();
        using var kept = TorchSharp.torch.ones(1);
        Assert.Throws<InvalidOperationException>(() => budget.Require(0));
        budget.Require(1);
    }
}
