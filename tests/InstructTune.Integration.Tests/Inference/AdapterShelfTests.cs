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
                    shelf.Add(held[^1], PeftAdapter.Read(_folder[$"{_ranks[random.Next(1 + (round / 3))]}"], _model.Config));
                }

                var slots = held.Select(shelf.SlotOf).ToArray();
                Assert.Equal(slots.Length, slots.Distinct().Count());
                Assert.All(slots, slot => Assert.InRange(slot, 0, shelf.Bank!.Slots - 1));
                Assert.Equal(held.Count == 0, shelf.Bank is null);
            }
        }
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }
}
