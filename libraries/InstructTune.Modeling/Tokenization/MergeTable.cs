using System.Numerics;

namespace InstructTune.Modeling.Tokenization;

/// <summary>What pairs of tokens become: an open table of packed integers. Read by many threads once it is filled.</summary>
internal sealed class MergeTable
{
    public const ulong None = ulong.MaxValue;

    private ulong[] _pairs;
    private ulong[] _merges;
    private int _shift;

    public MergeTable(int expected)
    {
        var size = BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, expected * 2));
        (_pairs, _merges) = (new ulong[size], new ulong[size]);
        Array.Fill(_merges, None);
        _shift = 64 - BitOperations.Log2(size);
    }

    public int Count { get; private set; }

    /// <summary>Every merge, as pair and packed rank and id.</summary>
    public IEnumerable<(int Left, int Right, int Rank, int Id)> All() =>
        _pairs.Zip(_merges).Where(e => e.Second != None).Select(e => ((int)(e.First >> 32), (int)e.First, Rank(e.Second), Id(e.Second)));

    public static int Rank(ulong merge) => (int)(merge >> 32);

    public static int Id(ulong merge) => (int)merge;

    /// <summary>Rank in the upper half and id of the merged token in the lower, or <see cref="None"/>.</summary>
    public ulong Find(int left, int right)
    {
        var pair = Pair(left, right);
        for (var at = Place(pair); ; at = (at + 1) & (_pairs.Length - 1))
        {
            var merge = _merges[at];
            if (merge == None || _pairs[at] == pair)
            {
                return merge;
            }
        }
    }

    /// <summary>Sets what a pair becomes. Of two merges of one pair the later counts, as in Hugging Face.</summary>
    public void Set(int left, int right, int rank, int id)
    {
        if (Count * 2 >= _pairs.Length)
        {
            Grow();
        }

        Put(Pair(left, right), ((ulong)(uint)rank << 32) | (uint)id);
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Place(ulong pair) => (int)((pair * 0x9E3779B97F4A7C15UL) >> _shift);

    private void Put(ulong pair, ulong merge)
    {
        var at = Place(pair);
        while (_merges[at] != None && _pairs[at] != pair)
        {
            at = (at + 1) & (_pairs.Length - 1);
        }

        Count += _merges[at] == None ? 1 : 0;
        (_pairs[at], _merges[at]) = (pair, merge);
    }

    private void Grow()
    {
        var (pairs, merges) = (_pairs, _merges);
        (_pairs, _merges, _shift, Count) = (new ulong[pairs.Length * 2], new ulong[pairs.Length * 2], _shift - 1, 0);
        Array.Fill(_merges, None);
        for (var i = 0; i < pairs.Length; i++)
        {
            if (merges[i] != None)
            {
                Put(pairs[i], merges[i]);
            }
        }
    }
}
