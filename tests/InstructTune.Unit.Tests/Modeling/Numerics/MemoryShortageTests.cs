using InstructTune.Modeling.Numerics;

namespace InstructTune.Unit.Tests.Modeling.Numerics;

public sealed class MemoryShortageTests
{
    [Theory]
    [InlineData("[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.")]
    [InlineData("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.")]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 MiB.")]
    public void What_libtorch_says_of_memory_is_known(string message) => Assert.True(MemoryShortage.Says(message));

    [Fact]
    public void An_array_or_a_mapping_that_does_not_fit_counts_as_well()
    {
        Assert.True(MemoryShortage.Caused(new InsufficientMemoryException()));
        Assert.True(MemoryShortage.Caused(new IOException("Cannot allocate memory : '/models/model.safetensors'")));
    }

    [Fact]
    public void Another_failure_is_no_want_of_memory()
    {
        Assert.False(MemoryShortage.Says("mat1 and mat2 shapes cannot be multiplied"));
        Assert.False(MemoryShortage.Caused(new InvalidOperationException("out of memory")));
    }
}
