using System.Buffers.Binary;

namespace InstructTune.Fuzz;

/// <summary>Makes inputs from sound ones. Equal seeds make equal inputs, so that a failure can be made again from its number.</summary>
internal sealed class Mutator(IReadOnlyList<byte[]> seeds, IReadOnlyList<byte[]> words, ulong seed)
{
    private const int MaxGrowthBytes = 4096;
    private const int HeaderBytes = 2048;

    private static readonly long[] s_borders =
    [
        0, 1, -1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 32767, 32768, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue,
        1L << 32, 1L << 40, 1L << 53, 1L << 62, long.MaxValue, long.MinValue, -8, -32,
    ];

    /// <summary>The input of a number.</summary>
    public byte[] Make(int number)
    {
        var random = new Stream(seed ^ ((ulong)(uint)number * 0x9E3779B97F4A7C15));
        var result = seeds[random.Below(seeds.Count)].ToList();
        var limit = result.Count + MaxGrowthBytes;
        for (var left = 1 + random.Below(random.Below(8) == 0 ? 16 : 3); left > 0; left--)
        {
            Mutate(result, random);
            if (result.Count > limit)
            {
                result.RemoveRange(limit, result.Count - limit);
            }
        }

        return [.. result];
    }

    private void Mutate(List<byte> data, Stream random)
    {
        // Headers come first in most files, and are what is parsed.
        var at = random.Below((random.Below(2) == 0 ? Math.Min(data.Count, HeaderBytes) : data.Count) + 1);
        switch (random.Below(9))
        {
            case 0 when at < data.Count:
                data[at] ^= (byte)(1 << random.Below(8));
                break;
            case 1 when at < data.Count:
                data[at] = (byte)random.Below(256);
                break;
            case 2:
                OverwriteNumber(data, at, random);
                break;
            case 3:
                data.RemoveRange(at, Math.Min(data.Count - at, 1 + random.Below(16)));
                break;
            case 4 when data.Count > 0:
                data.RemoveRange(at, random.Below(4) == 0 ? data.Count - at : 0);
                break;
            case 5 when data.Count > 0:
                var from = random.Below(data.Count);
                data.InsertRange(at, data.GetRange(from, Math.Min(data.Count - from, 1 + random.Below(64))));
                break;
            case 6:
                var other = seeds[random.Below(seeds.Count)];
                var start = random.Below(other.Length + 1);
                data.InsertRange(at, other.AsSpan(start, Math.Min(other.Length - start, 1 + random.Below(128))).ToArray());
                break;
            case 7 when words.Count > 0:
                var word = words[random.Below(words.Count)];
                data.RemoveRange(at, random.Below(2) == 0 ? Math.Min(data.Count - at, word.Length) : 0);
                data.InsertRange(at, word);
                break;
            default:
                data.Insert(at, (byte)random.Below(256));
                break;
        }
    }

    private static void OverwriteNumber(List<byte> data, int at, Stream random)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, s_borders[random.Below(s_borders.Length)] + (random.Below(4) == 0 ? random.Below(5) - 2 : 0));
        var size = 1 << random.Below(4);
        for (var i = 0; i < size && at + i < data.Count; i++)
        {
            data[at + i] = bytes[i];
        }
    }

    /// <summary>SplitMix64: small, and the same everywhere.</summary>
    private sealed class Stream(ulong state)
    {
        private ulong _state = state;

        public int Below(int limit)
        {
            _state += 0x9E3779B97F4A7C15;
            var z = _state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return (int)((z ^ (z >> 31)) % (ulong)limit);
        }
    }
}
