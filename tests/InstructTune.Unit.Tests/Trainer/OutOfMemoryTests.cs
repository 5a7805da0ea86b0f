using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class OutOfMemoryTests
{
    [Theory]
    [InlineData("[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.")]
    [InlineData("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.")]
    [InlineData("CUDA out of memory. Tried to allocate 2.00 MiB.")]
    public void What_libtorch_says_of_memory_is_known(string message) => Assert.True(ModelTraining.SaysOutOfMemory(message));

    [Fact]
    public void An_array_that_does_not_fit_counts_as_well() => Assert.True(ModelTraining.IsOutOfMemory(new InsufficientMemoryException()));

    [Fact]
    public void Another_failure_is_no_want_of_memory()
    {
        Assert.False(ModelTraining.SaysOutOfMemory("mat1 and mat2 shapes cannot be multiplied"));
        Assert.False(ModelTraining.IsOutOfMemory(new InvalidOperationException("out of memory")));
    }
}
