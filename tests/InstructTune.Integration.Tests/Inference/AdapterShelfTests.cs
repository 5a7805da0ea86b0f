using InstructTune.Inference.Engine;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Inference;

public sealed class AdapterShelfTests : IDisposable
{
    private static readonly int[] _ranks = [2, 5, 16, 17, 33, 64];

    private readonly TemporaryFolder _folder = new();
    private readonly LlamaModel _model = LlamaModel.CreateRandom(TinyModel.Config(512), new StepSeed(1));

    public AdapterShelfTests()
    {
        foreach (var rank in _ranks)
        {
            TinyAdapter.Write(Directory.CreateDirectory(_folder[$"{rank}"]).FullName, seed: (ulong)rank, rank);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Adapters_come_and_go_in_any_order_with_rising_ranks_and_each_has_a_place_of_its_own(int seed)
    {
        var random = new Random(seed);
        for (var walk = 0; walk < 20; walk++)
        {
            using var shelf = new AdapterShelf(_model);
            List<string> held = [];
            var most = 0;
            for (var round = 0; round < 18; round++)
            {
                if (random.Next(5) == 0)
                {
                    // Many leave at once, the first in their places as well as the last.
                    foreach (var key in held.Where(_ => random.Next(4) > 0).ToArray())
                    {
                        shelf.Remove(key);
                        held.Remove(key);
                    }
                }
                else
                {
                    held.Add($"{round}");
                    shelf.Add(held[^1], Banked(_ranks[random.Next(1 + (round / 3))]));
                }

                most = Math.Max(most, held.Count);
                var slots = held.Select(shelf.SlotOf).ToArray();
                Assert.Equal(slots.Length, slots.Distinct().Count());
                // Places that were left are taken again.
                Assert.All(slots, slot => Assert.InRange(slot, 0, most - 1));
                Assert.Equal(held.Count == 0, shelf.Bank.SizeBytes == 0);
            }
        }
    }

    [Fact]
    public void Who_is_held_is_not_touched_when_others_come_with_higher_ranks_and_go()
    {
        using var shelf = new AdapterShelf(_model);
        var first = Banked(rank: 2);
        shelf.Add("first", first);
        var (slot, places) = (shelf.SlotOf("first"), first.Find("model.layers.0.self_attn.q_proj")!.A_RI.Handle);
        foreach (var rank in _ranks)
        {
            shelf.Add($"{rank}", Banked(rank));
        }
        shelf.Remove("64");

        Assert.Equal(slot, shelf.SlotOf("first"));
        Assert.Equal(places, shelf.Bank.Find(slot, "model.layers.0.self_attn.q_proj")!.A_RI.Handle);
        Assert.Equal(first.SizeBytes + _ranks[..^1].Sum(rank => SizeOf(rank)), shelf.Bank.SizeBytes);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private BankedAdapter Banked(int rank)
    {
        using var adapter = PeftAdapter.Read(_folder[$"{rank}"], _model.Config);
        return BankedAdapter.Of(adapter, _model.Config, _model);
    }

    private long SizeOf(int rank)
    {
        using var banked = Banked(rank);
        return banked.SizeBytes;
    }
}
