using InstructTune.Modeling.Driver;
using TorchSharp;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Driver;

public sealed class ArenaTests
{
    [Fact]
    public void What_does_not_fit_lies_side_by_side_until_the_next_start()
    {
        using var scope = NewDisposeScope();
        using var arena = new Arena();
        Use(arena, largest: 0);
        Assert.Equal(0, arena.CapacityBytes);
        arena.Reset();
        var capacity = arena.CapacityBytes;
        Assert.InRange(capacity, sizeof(float) * 40L * 33, sizeof(float) * 40L * 64);

        // Now in the block, then beyond it again.
        Use(arena, largest: 0);
        arena.Reset();
        Assert.Equal(capacity, arena.CapacityBytes);
        Use(arena, largest: 20 << 20);
        arena.Reset();
        Assert.InRange(arena.CapacityBytes, sizeof(float) * (20L << 20), long.MaxValue);
    }

    [Fact]
    public void A_first_pass_of_many_small_tensors_takes_few_blocks_of_the_system()
    {
        using var scope = NewDisposeScope();
        using var arena = new Arena();
        arena.Take(1, 16);
        var budget = Modeling.Numerics.TensorBudget.Start();
        for (var i = 0; i < 1000; i++)
        {
            arena.Take(100, 16).Dispose();
        }

        // All in the slab of the first.
        budget.Require(keptCount: 0);
    }

    // Forty tensors with a value of their own each, of which the second half is given back and taken again.
    private static void Use(Arena arena, int largest)
    {
        var mark = 0L;
        var tensors = new List<Tensor>();
        for (var i = 0; i < 40; i++)
        {
            mark = i == 20 ? arena.Mark : mark;
            tensors.Add(arena.Take(3, 11).fill_(i));
        }

        arena.Release(mark);
        tensors.RemoveRange(20, 20);
        if (largest > 0)
        {
            tensors.Add(arena.Take(1, largest).fill_(20));
        }

        while (tensors.Count < 40)
        {
            tensors.Add(arena.Take(3, 11).fill_(tensors.Count));
        }

        for (var i = 0; i < 40; i++)
        {
            Assert.True(tensors[i].eq((Scalar)i).all().item<bool>(), $"tensor {i} was overwritten");
        }
    }
}
