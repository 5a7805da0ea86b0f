using CsCheck;
using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

public sealed class SlotPoolTests
{
    [Fact]
    public void Slots_never_overlap_and_all_memory_comes_back_in_one_piece() =>
        Gen.Select(Gen.Int[1, 700], Gen.Bool).List[1, 120].Sample(steps =>
        {
            var pool = new SlotPool(ceilingBytes: 64 * 3 * 30, bytesPerToken: 3, contextTokens: 1024, maxSequences: 64);
            List<Slot> held = [];
            foreach (var (tokens, isReturn) in steps)
            {
                if (isReturn && held.Count > 0)
                {
                    pool.Return(held[tokens % held.Count]);
                    held.RemoveAt(tokens % held.Count);
                }
                else if (pool.TryRent(tokens) is { } slot)
                {
                    Assert.True(slot.CapacityTokens >= tokens && slot.FirstBlock + slot.Blocks <= pool.BlockCount);
                    Assert.All(held, other => Assert.True(
                        other.FirstBlock >= slot.FirstBlock + slot.Blocks || slot.FirstBlock >= other.FirstBlock + other.Blocks));
                    held.Add(slot);
                }
                Assert.Equal(held.Sum(slot => slot.Blocks), pool.RentedBlocks);
            }
            held.ForEach(pool.Return);
            Assert.Equal((0, 1), (pool.RentedBlocks, pool.GapCount));
            Assert.NotNull(pool.TryRent(pool.LargestTokens));
        });

    [Fact]
    public void A_slot_is_returned_once()
    {
        var pool = new SlotPool(1 << 20, 10, 512, 4);
        var slot = pool.TryRent(100)!;
        pool.Return(slot);

        Assert.Throws<InvalidOperationException>(() => pool.Return(slot));
    }

    [Fact]
    public void No_more_memory_is_taken_than_the_longest_sequences_need()
    {
        Assert.Equal(4 * 512 * 10, new SlotPool(1 << 30, bytesPerToken: 10, contextTokens: 512, maxSequences: 4).SizeBytes);
        Assert.Equal(64 * 10 * 3, new SlotPool(64 * 10 * 3 + 639, bytesPerToken: 10, contextTokens: 512, maxSequences: 4).SizeBytes);
        Assert.Equal(192, new SlotPool(64 * 10 * 3, bytesPerToken: 10, contextTokens: 512, maxSequences: 4).LargestTokens);
    }
}
