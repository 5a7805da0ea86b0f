using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>
/// Cache memory whose cells hold, in place of keys and values, a number that depends on the token there, on all before it and on the
/// adapter: what a sequence reads from its slot is right or it is not.
/// </summary>
internal sealed class SimulatedMemory(int blocks)
{
    private const int Width = SlotPool.BlockTokens;

    private readonly ulong[] _cells = new ulong[blocks * Width];

    public void Edit(CacheEdit edit)
    {
        var (to, length) = (edit.To * Width, edit.Blocks * Width);
        if (edit.IsClear)
        {
            Array.Clear(_cells, to, length);
        }
        else
        {
            Array.Copy(_cells, edit.From * Width, _cells, to, length);
        }
    }

    /// <summary>The first position before a chunk that does not hold what it must, or -1.</summary>
    public int FirstWrong(Chunk chunk)
    {
        var (first, hash) = (chunk.Sequence.Slot!.FirstBlock * Width, SeedOf(chunk.Sequence));
        for (var position = 0; position < chunk.From; position++)
        {
            hash = Mix(hash, chunk.Sequence.TokenAt(position));
            if (_cells[first + position] != hash)
            {
                return position;
            }
        }
        return -1;
    }

    public void Compute(Chunk chunk)
    {
        var first = chunk.Sequence.Slot!.FirstBlock * Width;
        var hash = chunk.From == 0 ? SeedOf(chunk.Sequence) : _cells[first + chunk.From - 1];
        for (var position = chunk.From; position < chunk.To; position++)
        {
            hash = Mix(hash, chunk.Sequence.TokenAt(position));
            _cells[first + position] = hash;
        }
    }

    private static ulong SeedOf(Sequence sequence) =>
        sequence.Model.AdapterKey?.Aggregate(14695981039346656037UL, (hash, c) => Mix(hash, c)) ?? 14695981039346656037UL;

    private static ulong Mix(ulong hash, int value)
    {
        hash = (hash ^ (uint)value) * 0x9E3779B97F4A7C15UL;
        return hash ^ (hash >> 29);
    }
}
