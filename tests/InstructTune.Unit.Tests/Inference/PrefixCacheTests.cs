using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

public sealed class PrefixCacheTests
{
    private static readonly PrefixScope _scope = new(new string('a', 64), null, "ann", "") { Format = 1 };

    private readonly SlotPool _slots = new(64 * 20, 1, 640, 4);
    private readonly PrefixKeys _keys = new([1]);

    [Fact]
    public void What_was_kept_is_found_as_far_as_the_tokens_agree()
    {
        var cache = new PrefixCache(_slots, maxBlocks: 10);
        Keep(cache, Ids(0, 200));

        Assert.Equal(3, cache.Count);
        Assert.Equal(3, cache.Match(Chain(Ids(0, 200))));
        Assert.Equal(1, cache.Match(Chain([.. Ids(0, 100), 7777, .. Ids(101, 200)])));
        Assert.Equal(0, cache.Match(Chain([9, .. Ids(1, 200)])));
    }

    [Fact]
    public void Equal_keys_with_other_tokens_are_no_hit()
    {
        var cache = new PrefixCache(_slots, maxBlocks: 10);
        Keep(cache, Ids(0, 200));
        var forged = new PrefixChain([.. Enumerable.Range(0, 3).Select(block => Chain(Ids(0, 200))[block])], Ids(1, 201), reads: true);

        Assert.Equal(0, cache.Match(forged));
        Assert.Empty(cache.Keep(forged, new Slot(0, 4)));
    }

    [Fact]
    public void The_end_of_a_prompt_leaves_before_its_beginning_and_the_older_prompt_before_the_newer()
    {
        var cache = new PrefixCache(_slots, maxBlocks: 6);
        var (old, newer) = (Ids(0, 193), Ids(1000, 1193));
        Keep(cache, old);
        Keep(cache, newer);

        Keep(cache, Ids(5000, 5065));
        Assert.Equal((2, 3), (cache.Match(Chain(old)), cache.Match(Chain(newer))));
        cache.Use(Chain(old), 2);
        Keep(cache, Ids(6000, 6065));
        Assert.Equal((2, 2), (cache.Match(Chain(old)), cache.Match(Chain(newer))));
    }

    [Fact]
    public void A_prompt_longer_than_the_cache_keeps_its_beginning()
    {
        var cache = new PrefixCache(_slots, maxBlocks: 2);
        Keep(cache, Ids(0, 400));

        Assert.Equal((2, 2), (cache.Count, cache.Match(Chain(Ids(0, 400)))));
    }

    [Fact]
    public void Slots_take_the_room_of_prefixes()
    {
        var pool = new SlotPool(64 * 6, 1, 384, 4);
        var cache = new PrefixCache(pool, maxBlocks: 6);
        Keep(cache, Ids(0, 256));
        var memory = new LaneMemory(pool, cache);
        var sequence = new SimulatedSequence("a", 0, 300, 50);

        Assert.True(memory.TryStart(sequence, sequence.CapacityTokens, 0));

        Assert.Equal((6, 0), (pool.RentedBlocks, pool.SingleBlocks));
    }

    [Fact]
    public void A_flood_of_one_tenants_prompts_leaves_those_of_another()
    {
        var cache = new PrefixCache(_slots, maxBlocks: 10, shareBlocks: 5);
        var light = _keys.ChainOf(Ids(0, 193), _scope with { Tenant = "light" }, reads: true);
        _ = cache.Keep(light, new Slot(0, 10)).Count();
        for (var i = 1; i < 50; i++)
        {
            Keep(cache, Ids(1000 * i, (1000 * i) + 193));
        }

        Assert.Equal((3, 3), (cache.Match(light), cache.CountOf("light")));
        Assert.InRange(cache.CountOf(_scope.Tenant), 5, 7);
        Assert.InRange(cache.Match(Chain(Ids(49_000, 49_193))), 1, 3);
    }

    [Fact]
    public void What_nobody_else_wants_one_tenant_has_and_gives_back_first()
    {
        var cache = new PrefixCache(_slots, maxBlocks: 10, shareBlocks: 4);
        for (var i = 0; i < 5; i++)
        {
            Keep(cache, Ids(1000 * i, (1000 * i) + 129));
        }
        Assert.Equal(10, cache.CountOf(_scope.Tenant));

        var other = _keys.ChainOf(Ids(0, 257), _scope with { Tenant = "other" }, reads: true);
        _ = cache.Keep(other, new Slot(0, 10)).Count();

        Assert.Equal((4, 6), (cache.Match(other), cache.CountOf(_scope.Tenant)));
    }

    private void Keep(PrefixCache cache, int[] ids) => _ = cache.Keep(Chain(ids), new Slot(0, 10)).Count();

    private PrefixChain Chain(int[] ids) => _keys.ChainOf(ids, _scope, reads: true);

    private static int[] Ids(int from, int to) => [.. Enumerable.Range(from, to - from)];
}
