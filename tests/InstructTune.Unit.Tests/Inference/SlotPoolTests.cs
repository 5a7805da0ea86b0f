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
    public void Growing_slots_and_single_blocks_never_overlap_and_all_memory_comes_back() =>
        Gen.Select(Gen.Int[1, 700], Gen.Int[0, 4]).List[1, 160].Sample(steps =>
        {
            var pool = new SlotPool(ceilingBytes: 64 * 3 * 30, bytesPerToken: 3, contextTokens: 1024, maxSequences: 64);
            List<Slot> held = [];
            List<Slot> blocks = [];
            foreach (var (tokens, what) in steps)
            {
                switch (what)
                {
                    case 0 when held.Count > 0:
                        pool.Return(held[tokens % held.Count]);
                        held.RemoveAt(tokens % held.Count);
                        break;
                    case 1 when held.Count > 0:
                        var index = tokens % held.Count;
                        var wanted = Math.Min(held[index].CapacityTokens + tokens, pool.LargestTokens);
                        held[index] = pool.TryGrow(held[index], wanted) is { } grown && grown.CapacityTokens >= wanted ? grown : held[index];
                        break;
                    case 2 when blocks.Count > 0:
                        pool.ReturnBlock(blocks[tokens % blocks.Count]);
                        blocks.RemoveAt(tokens % blocks.Count);
                        break;
                    case 3 when pool.TryRentBlock() is { } block:
                        blocks.Add(block);
                        break;
                    case 4 when pool.TryRent(tokens) is { } slot:
                        held.Add(slot);
                        break;
                }
                var all = held.Concat(blocks).OrderBy(slot => slot.FirstBlock).ToArray();
                Assert.All(all.Zip(all.Skip(1)), pair => Assert.True(pair.First.FirstBlock + pair.First.Blocks <= pair.Second.FirstBlock));
                Assert.Equal((held.Sum(slot => slot.Blocks), blocks.Count), (pool.RentedBlocks, pool.SingleBlocks));
            }
            held.ForEach(pool.Return);
            blocks.ForEach(pool.ReturnBlock);
            Assert.Equal((0, 0, 1), (pool.RentedBlocks, pool.SingleBlocks, pool.GapCount));
        });

    [Fact]
    public void A_slot_grows_in_place_when_the_blocks_behind_it_are_free()
    {
        var pool = new SlotPool(64 * 10, 1, 640, 4);
        var slot = pool.TryRent(64)!;

        Assert.Equal(new Slot(0, 3), pool.TryGrow(slot, 180));
    }

    [Fact]
    public void A_slot_that_cannot_grow_stays_as_it_is()
    {
        var pool = new SlotPool(64 * 4, 1, 256, 4);
        var slot = pool.TryRent(128)!;
        pool.TryRent(64);

        Assert.Null(pool.TryGrow(slot, 200));
        Assert.Equal((3, 1), (pool.RentedBlocks, pool.GapCount));
        pool.Return(slot);
    }

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
