using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Tokenization;

/// <summary>
/// The ids of words seen before. Bounded: a fixed number of places, two for each word, where a new word takes that of an older one. Entries never change, so
/// threads read and replace them without a lock.
/// </summary>
internal sealed class WordCache
{
    public const int LongestWord = 48;

    private const int Places = 1 << 16;

    private readonly Entry?[] _entries = new Entry?[Places];

    public static uint HashOf(ReadOnlySpan<char> word)
    {
        var hash = (ulong)word.Length * 0x9E3779B97F4A7C15UL;
        ref var start = ref Unsafe.As<char, byte>(ref MemoryMarshal.GetReference(word));
        var bytes = word.Length * sizeof(char);
        var at = 0;
        for (; bytes - at >= 8; at += 8)
        {
            hash = Mix(hash ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, at)));
        }

        var rest = 0UL;
        for (; at < bytes; at += 2)
        {
            rest = (rest << 16) | Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, at));
        }

        return (uint)(Mix(hash ^ rest) >> 32);
    }

    public bool TryFind(ReadOnlySpan<char> word, uint hash, out ReadOnlySpan<int> ids)
    {
        var place = hash & (Places - 1);
        var entry = Volatile.Read(ref _entries[place]);
        if (entry is null || !entry.Is(word, hash))
        {
            entry = Volatile.Read(ref _entries[place ^ 1]);
            if (entry is null || !entry.Is(word, hash))
            {
                ids = [];
                return false;
            }
        }

        ids = entry.Ids;
        return true;
    }

    public void Put(ReadOnlySpan<char> word, uint hash, ReadOnlySpan<int> ids)
    {
        var place = hash & (Places - 1);
        var older = Volatile.Read(ref _entries[place]);
        if (older is not null)
        {
            Volatile.Write(ref _entries[place ^ 1], older);
        }

        Volatile.Write(ref _entries[place], new Entry(hash, word.ToString(), ids.ToArray()));
    }

    private static ulong Mix(ulong value)
    {
        value *= 0xD6E8FEB86659FD93UL;
        return value ^ (value >> 32);
    }

    private sealed class Entry(uint hash, string word, int[] ids)
    {
        public int[] Ids { get; } = ids;

        public bool Is(ReadOnlySpan<char> other, uint otherHash) => otherHash == hash && other.SequenceEqual(word);
    }
}
